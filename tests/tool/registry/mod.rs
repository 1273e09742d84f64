//! Images in registries: a real one, and some that stop, lie and are slow. What is attached to an image there.

mod attached;
mod attached_refused;
mod downgrade;
mod hostile;
mod logins;
mod real;
mod server;
