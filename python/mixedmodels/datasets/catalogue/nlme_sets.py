"""Data sets that come with the R packages nlme and datasets, used in Pinheiro and Bates."""

from __future__ import annotations

from .entry import DataSet

_NLME = "data frame {} of the R package nlme 3.1-162"
_PINHEIRO_BATES = (
    "J. C. Pinheiro and D. M. Bates (2000). Mixed-Effects Models in S and S-PLUS. Springer, New York.{}"
)

NLME_SETS = (
    DataSet(
        name="Machines",
        title="Productivity of six workers on three machines",
        about="Every worker used every machine three times; the workers are a sample, the machines are not.",
        columns={
            "Worker": "worker (ordered by highest score: 6 < 2 < 4 < 1 < 3 < 5)",
            "Machine": "machine (3 levels)",
            "score": "productivity score, from number and quality of the parts produced",
        },
        n_rows=54,
        origin=_NLME.format("Machines"),
        references=(
            _PINHEIRO_BATES.format(" Appendix A.14."),
            (
                "G. A. Milliken and D. E. Johnson (1992). Analysis of Messy Data, Volume I: Designed Experiments. "
                "Chapman and Hall, London."
            ),
        ),
    ),
    DataSet(
        name="Orthodont",
        title="Growth of a distance in the skulls of children",
        about="The distance from the pituitary gland to the pterygomaxillary fissure was measured in 16 boys and "
        "11 girls at the ages of 8, 10, 12 and 14 years.",
        columns={
            "distance": "distance from the pituitary to the pterygomaxillary fissure, in millimetres",
            "age": "age, in years",
            "Subject": "child (ordered, 27 levels)",
            "Sex": "Male or Female",
        },
        n_rows=108,
        origin=_NLME.format("Orthodont"),
        references=(
            _PINHEIRO_BATES.format(" Appendix A.17."),
            (
                "R. F. Potthoff and S. N. Roy (1964). A generalized multivariate analysis of variance model useful "
                "especially for growth curve problems. Biometrika 51(3-4), 313-326."
            ),
        ),
    ),
    DataSet(
        name="Oxboys",
        title="Heights of boys from Oxford on nine occasions",
        about="Twenty-six boys were measured nine times while growing up.",
        columns={
            "Subject": "boy (ordered, 26 levels)",
            "age": "standardised age, without unit",
            "height": "height, in centimetres",
            "Occasion": "occasion (ordered, 1 to 9)",
        },
        n_rows=234,
        origin=_NLME.format("Oxboys"),
        references=(_PINHEIRO_BATES.format(" Appendix A.19."),),
    ),
    DataSet(
        name="Rail",
        title="Travel times of ultrasonic waves in six rails",
        about="Each of six railway rails was tested three times.",
        columns={
            "Rail": "rail (ordered by travel time: 2 < 5 < 1 < 6 < 3 < 4)",
            "travel": "travel time of ultrasonic head-waves minus 36,100, in nanoseconds",
        },
        n_rows=18,
        origin=_NLME.format("Rail"),
        references=(
            _PINHEIRO_BATES.format(" Appendix A.26."),
            (
                "J. L. Devore (2000). Probability and Statistics for Engineering and the Sciences, 5th edition. "
                "Duxbury, Boston."
            ),
        ),
    ),
    DataSet(
        name="ChickWeight",
        title="Weights of chicks on four diets",
        about="Chicks were weighed at birth, every second day until day 20, and on day 21; some died early.",
        columns={
            "weight": "body weight, in grams",
            "Time": "days since birth",
            "Chick": "chick (ordered within diet by final weight, 50 levels)",
            "Diet": "protein diet (4 levels)",
        },
        n_rows=578,
        origin="data frame ChickWeight of the R package datasets 4.2.2",
        references=(
            (
                "M. Crowder and D. Hand (1990). Analysis of Repeated Measures. Chapman and Hall, London. "
                "Example 5.3."
            ),
            (
                "D. Hand and M. Crowder (1996). Practical Longitudinal Data Analysis. Chapman and Hall, London. "
                "Table A.2."
            ),
            _PINHEIRO_BATES.format(""),
        ),
    ),
)
