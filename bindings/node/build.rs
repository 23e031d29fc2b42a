//! Leaves the functions of Node to be found when it loads the library.

fn main() {
    napi_build::setup();
}
