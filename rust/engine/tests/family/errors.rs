//! What is refused, and how the message says where.

use mixedmodels::family::{family, FAMILIES};

fn message(
    name: &str,
    link: &str,
    y: &[f64],
    weights: Option<&[f64]>,
    dispersion: Option<f64>,
) -> String {
    let weights = weights.map(<[f64]>::to_vec);
    match family(name, link, y.to_vec(), weights, dispersion) {
        Ok(family) => panic!("accepted: {family:?}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn unknown_names_are_answered_with_the_known_ones() {
    let text = message("poison", "log", &[1.0], None, None);
    for name in FAMILIES.iter().map(|family| family.name) {
        assert!(text.contains(name), "{text}");
    }
    let text = message("poisson", "logit", &[1.0], None, None);
    assert!(text.contains("log, identity, sqrt"), "{text}");
}

#[test]
fn responses_outside_their_range_are_named() {
    let wrong: [(&str, &str, f64, f64); 15] = [
        ("binomial", "logit", 1.0, -1.0),
        ("binomial", "probit", 0.0, 1.5),
        ("poisson", "log", 3.0, 2.5),
        ("poisson", "log", 3.0, -1.0),
        ("nbinom1", "log", 3.0, 0.5),
        ("nbinom2", "log", 3.0, f64::INFINITY),
        ("gaussian", "log", -1.0, f64::NAN),
        ("gamma", "log", 1.0, 0.0),
        ("lognormal", "log", 1.0, 0.0),
        ("gamma", "log", 1.0, f64::INFINITY),
        ("inverse_gaussian", "log", 1.0, -2.0),
        ("beta", "logit", 0.5, 0.0),
        ("beta", "logit", 0.5, 1.0),
        ("beta", "logit", 0.5, f64::NAN),
        ("binomial", "logit", 1.0, f64::NAN),
    ];
    for (name, link, right, wrong) in wrong {
        let text = message(name, link, &[right, right, wrong], None, None);
        assert!(text.contains("row 2"), "{name}: {text}");
        assert!(text.contains(&wrong.to_string()), "{name}: {text}");
    }
}

#[test]
fn weights_and_dispersion_must_be_positive() {
    for weight in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let text = message("gamma", "log", &[1.0, 2.0], Some(&[1.0, weight]), None);
        assert!(text.contains("row 1"), "{text}");
    }
    let text = message("gamma", "log", &[1.0, 2.0], Some(&[1.0]), None);
    assert!(text.contains("weights has length 1"), "{text}");
    for dispersion in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let text = message("gamma", "log", &[1.0], None, Some(dispersion));
        assert!(text.contains("dispersion"), "{text}");
    }
    for (name, link) in [("binomial", "logit"), ("poisson", "log")] {
        let text = message(name, link, &[1.0], None, Some(2.0));
        assert!(text.contains("no dispersion"), "{text}");
    }
}
