"""Data sets from other R packages."""

from __future__ import annotations

from .entry import DataSet

_VENABLES_RIPLEY = "W. N. Venables and B. D. Ripley (2002). Modern Applied Statistics with S, 4th edition. Springer, New York."

OTHER_SETS = (
    DataSet(
        name="Contraception",
        title="Use of contraception by women in Bangladesh",
        about="Part of the 1988 Bangladesh Fertility Survey: 1934 women in 60 districts.",
        columns={
            "woman": "woman: one level for each row (1934 levels)",
            "district": "district (60 levels)",
            "use": "whether she used contraception at the time of the survey (N, Y)",
            "livch": "number of living children (0, 1, 2, 3+)",
            "age": "age minus its mean, in years",
            "urban": "whether she lived in an urban region (N, Y)",
            "urbdist": "urban and district together, as urban:district (102 levels)",
            "ch": "whether she had any living children (N, Y)",
        },
        n_rows=1934,
        origin="data frame Contraception of the R package mlmRev 1.0-8, with urbdist and ch added",
        references=(
            (
                "F. Steele, I. Diamond and S. Amin (1996). Immunization uptake in rural Bangladesh: a multilevel "
                "analysis. Journal of the Royal Statistical Society, Series A 159(2), 289-299."
            ),
        ),
    ),
    DataSet(
        name="Salamanders",
        title="Counts of stream salamanders near mountaintop mines",
        about="Salamanders were counted on four visits to 23 stream sites, some of them affected by mining, by "
        "species and sometimes life stage. The covariates are standardised.",
        columns={
            "site": "site (ordered, 23 levels)",
            "mined": "whether the site was affected by mining (yes, no)",
            "cover": "amount of cover objects in the stream, standardised",
            "sample": "number of the visit, 1 to 4",
            "DOP": "days since precipitation, standardised",
            "Wtemp": "water temperature, standardised",
            "DOY": "day of the year, standardised",
            "spp": "species, and life stage where distinguished (7 levels)",
            "count": "number of salamanders",
        },
        n_rows=644,
        origin="data frame Salamanders of the R package glmmTMB 1.1.5",
        references=(
            (
                "S. J. Price, B. L. Muncy, S. J. Bonner, A. N. Drayer and C. D. Barton (2016). Effects of "
                "mountaintop removal mining and valley filling on the occupancy and abundance of stream "
                "salamanders. Journal of Applied Ecology 53(2), 459-468."
            ),
        ),
    ),
    DataSet(
        name="bacteria",
        title="Presence of H. influenzae in children with otitis media",
        about="Fifty children of the Northern Territory of Australia were given a drug or a placebo, with or "
        "without encouragement to take it, and tested for the bacteria in several weeks.",
        columns={
            "y": "presence of the bacteria (n, y)",
            "ap": "active drug or placebo (a, p)",
            "hilo": "high or low compliance with the treatment (hi, lo)",
            "week": "week of the test",
            "ID": "child (50 levels)",
            "trt": "ap and hilo recoded (placebo, drug, drug+)",
        },
        n_rows=220,
        origin="data frame bacteria of the R package MASS 7.3-58.2, provided there by A. Leach through J. McBroom",
        references=(
            "Menzies School of Health Research. 1999-2000 Annual Report, page 20.",
            _VENABLES_RIPLEY,
        ),
    ),
    DataSet(
        name="beets",
        title="Yield and sugar content of sugar beets in a split-plot experiment",
        about="Harvesting times were assigned to whole plots within three blocks, sowing times to the subplots "
        "within them.",
        columns={
            "harvest": "harvesting time (2 levels)",
            "block": "block (3 levels)",
            "sow": "sowing time (5 levels)",
            "yield": "yield of the plot",
            "sugpct": "sugar content, in percent",
        },
        n_rows=30,
        origin="data frame beets of the R package pbkrtest 0.5-2",
        references=(
            (
                "U. Halekoh and S. Højsgaard (2014). A Kenward-Roger approximation and parametric bootstrap methods "
                "for tests in linear mixed models: the R package pbkrtest. Journal of Statistical Software 59(9), "
                "1-32."
            ),
        ),
    ),
    DataSet(
        name="carrots",
        title="Preferences of consumers for twelve varieties of carrots",
        about="103 consumers scored twelve products; a trained panel described the products, and the first two "
        "principal components of its scores are given. The consumers answered questions about themselves.",
        columns={
            "Consumer": "consumer (103 levels)",
            "Frequency": "how often the consumer eats carrots, in five classes",
            "Gender": "gender, coded 1 or 2",
            "Age": "age in four classes",
            "Homesize": "size of the household in two classes, coded 1 and 3",
            "Work": "type of work, in seven classes",
            "Income": "income in four classes; 72 missing",
            "Preference": "preference score from 1 to 7; 3 missing",
            "Sweetness": "sweetness score from 1 to 7; 3 missing",
            "Bitter": "bitterness score from 1 to 7",
            "Crisp": "crispness score from 1 to 7; 3 missing",
            "sens1": "first principal component of the sensory panel",
            "sens2": "second principal component of the sensory panel",
            "Product": "product (12 levels)",
        },
        n_rows=1236,
        origin="data frame carrots of the R package lmerTest 3.1-3, provided there by Per Bruun Brockhoff, The "
        "Royal Veterinary and Agricultural University, Denmark",
    ),
    DataSet(
        name="dietox",
        title="Growth of pigs by vitamin E and copper in the feed",
        about="Pigs from 21 litters were weighed every week for twelve weeks in a factorial feeding experiment "
        "with three doses of vitamin E and three of copper.",
        columns={
            "Pig": "pig (72 levels)",
            "Evit": "dose of vitamin E (3 levels)",
            "Cu": "dose of copper (3 levels)",
            "Litter": "litter (21 levels)",
            "Start": "weight at the start, in kilograms",
            "Weight": "weight, in kilograms",
            "Feed": "feed eaten since the start, in kilograms; 72 missing",
            "Time": "week, 1 to 12",
        },
        n_rows=861,
        origin="data frame dietox of the R package geepack 1.3.9",
        references=(
            (
                "C. Lauridsen, S. Højsgaard and M. T. Sørensen (1999). Influence of dietary rapeseed oil, vitamin E, "
                "and copper on the performance and the antioxidative and oxidative status of pigs. Journal of "
                "Animal Science 77(4), 906-916."
            ),
        ),
    ),
    DataSet(
        name="epil",
        title="Epileptic seizures under progabide or placebo",
        about="Seizures of 59 patients were counted before treatment for eight weeks and then in four periods of "
        "two weeks.",
        columns={
            "y": "number of seizures in the two weeks",
            "trt": "treatment (placebo, progabide)",
            "base": "number of seizures in the eight weeks before treatment",
            "age": "age, in years",
            "V4": "1 in the last period, else 0",
            "subject": "patient, a number from 1 to 59",
            "period": "period, 1 to 4",
            "lbase": "log of base, centred",
            "lage": "log of age, centred",
        },
        n_rows=236,
        origin="data frame epil of the R package MASS 7.3-58.2",
        references=(
            (
                "P. F. Thall and S. C. Vail (1990). Some covariance models for longitudinal count data with "
                "overdispersion. Biometrics 46(3), 657-671."
            ),
            _VENABLES_RIPLEY,
        ),
    ),
    DataSet(
        name="ham",
        title="Liking of dry-cured hams with and without information on their origin",
        about="A conjoint study: 81 consumers scored four hams, each once with and once without information.",
        columns={
            "Consumer": "consumer (81 levels)",
            "Product": "ham (4 levels)",
            "Informed.liking": "liking score from 1 to 9",
            "Information": "kind of information given (2 levels)",
            "Gender": "gender, coded 1 or 2",
            "Age": "age, in years",
        },
        n_rows=648,
        origin="data frame ham of the R package lmerTest 3.1-3",
        references=(
            (
                "T. Næs, V. Lengard, S. Bølling Johansen and M. Hersleth (2010). Alternative methods for combining "
                "design variables and consumer preference with information about attitudes and demographics in "
                "conjoint analysis. Food Quality and Preference 21(4), 368-378."
            ),
        ),
    ),
)
