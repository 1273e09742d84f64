//! Images in registries: a real one, and some that stop, lie and are slow.

mod downgrade;
mod hostile;
mod logins;
mod real;
mod server;
