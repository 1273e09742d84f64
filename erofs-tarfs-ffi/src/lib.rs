//! C API of erofs-tarfs. A later change fills it; today it reports versions.
