mod densities;
mod example;
mod gradient;
mod jet;
mod value;
