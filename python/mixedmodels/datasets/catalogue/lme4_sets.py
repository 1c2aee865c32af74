"""Data sets that come with the R package lme4."""

from __future__ import annotations

from .entry import DataSet

_LME4 = "data frame {} of the R package lme4 1.1-31"
_DAVIES = (
    "O. L. Davies and P. L. Goldsmith (editors) (1972). Statistical Methods in Research and Production, "
    "4th edition. Oliver and Boyd, Edinburgh. Section {}."
)
_BOX_TIAO = (
    "G. E. P. Box and G. C. Tiao (1973). Bayesian Inference in Statistical Analysis. Addison-Wesley, "
    "Reading, Massachusetts. Section 5.1.2."
)
_BELENKY = (
    "G. Belenky, N. J. Wesensten, D. R. Thorne, M. L. Thomas, H. C. Sing, D. P. Redmond, M. B. Russo and "
    "T. J. Balkin (2003). Patterns of performance degradation and restoration during sleep restriction and "
    "subsequent recovery: a sleep dose-response study. Journal of Sleep Research 12(1), 1-12."
)
_SLEEP_COLUMNS = {
    "Reaction": "average reaction time on that day, in milliseconds",
    "Days": "day of the study, 0 to 9 (a number)",
    "Subject": "the person (18 levels)",
}

LME4_SETS = (
    DataSet(
        name="sleepstudy",
        title="Reaction times in a study of sleep restriction",
        about="Eighteen people were tested on each of ten days while they were allowed three hours in bed a "
        "night. Days 0 and 1 were adaptation and training, day 2 the baseline; the restriction began after it.",
        columns=_SLEEP_COLUMNS,
        n_rows=180,
        origin=_LME4.format("sleepstudy"),
        references=(_BELENKY,),
    ),
    DataSet(
        name="sleepstudy_x",
        title="The sleep restriction data with extra columns for trying options",
        about="The 180 rows of sleepstudy, followed by columns computed for this package: prior weights, an "
        "offset, missing values, a collinear column and two factors. They have no meaning of their own.",
        columns=_SLEEP_COLUMNS
        | {
            "Late": "late from day 5 on, else early (2 levels)",
            "DaysNA": "Days with 7 missing values",
            "ReactionNA": "Reaction with 10 missing values, in milliseconds",
            "Days2": "twice Days, so collinear with it",
            "DaysF": "Days as a factor (10 levels)",
            "off": "a known offset, in milliseconds",
            "w": "prior weights between 1 and 3",
        },
        n_rows=180,
        origin=_LME4.format("sleepstudy") + ", with derived columns",
        references=(_BELENKY,),
    ),
    DataSet(
        name="Dyestuff",
        title="Yield of dyestuff from six batches of an intermediate product",
        about="Five preparations of a dyestuff were made from each of six batches of an intermediate product, "
        "to see how much of the variation in yield comes from the batches.",
        columns={
            "Batch": "batch of the intermediate product (6 levels)",
            "Yield": "yield of the preparation, in grams of standard colour",
        },
        n_rows=30,
        origin=_LME4.format("Dyestuff"),
        references=(_DAVIES.format("6.4"), _BOX_TIAO),
    ),
    DataSet(
        name="Dyestuff2",
        title="Constructed yields whose batches do not differ",
        about="Artificial data in the layout of Dyestuff, made so that the estimated variance between batches "
        "is zero: the plainest example of a singular fit.",
        columns={"Batch": "batch (6 levels)", "Yield": "simulated yield, without unit"},
        n_rows=30,
        origin=_LME4.format("Dyestuff2"),
        references=(_BOX_TIAO,),
    ),
    DataSet(
        name="Penicillin",
        title="Diameters of growth inhibition zones of six penicillin samples on 24 plates",
        about="Each of six samples of penicillin was tested on each of 24 plates by the B. subtilis "
        "plate method; samples and plates are completely crossed.",
        columns={
            "diameter": "diameter of the zone in which growth was inhibited, in millimetres",
            "plate": "assay plate (24 levels)",
            "sample": "penicillin sample (6 levels)",
        },
        n_rows=144,
        origin=_LME4.format("Penicillin"),
        references=(_DAVIES.format("6.6"),),
    ),
    DataSet(
        name="Pastes",
        title="Strength of a chemical paste by delivery batch and cask",
        about="Three casks were drawn at random from each of ten delivery batches of a chemical paste, and the "
        "contents of each cask were assayed twice; casks are nested within batches.",
        columns={
            "strength": "strength of the paste",
            "batch": "delivery batch (10 levels)",
            "cask": "cask within its batch (3 levels, a to c, reused in every batch)",
            "sample": "the cask, named uniquely as batch:cask (30 levels)",
        },
        n_rows=60,
        origin=_LME4.format("Pastes"),
        references=(_DAVIES.format("6.5"),),
    ),
    DataSet(
        name="InstEval",
        title="Ratings of lectures by students of ETH Zurich",
        about="Students rated the lectures they attended; the data are anonymised. Students and lecturers are "
        "partially crossed, which makes this a medium-sized test of sparse methods.",
        columns={
            "s": "student (2972 levels)",
            "d": "lecturer (1128 levels)",
            "studage": "age of the student counted in semesters of enrolment (ordered, 2 < 4 < 6 < 8)",
            "lectage": "how many semesters ago the lecture took place (ordered, 1 to 6)",
            "service": "1 if the lecture was given for a department other than the lecturer's own (2 levels)",
            "dept": "department of the lecture, coded at random (14 levels)",
            "y": "rating from 1 (poor) to 5 (very good)",
        },
        n_rows=73421,
        origin=_LME4.format("InstEval") + ", which names no publication",
    ),
    DataSet(
        name="cake",
        title="Breakage angle of chocolate cakes by recipe and baking temperature",
        about="A split-plot experiment: for each of 15 replicates of a recipe, one batch of batter was divided among six "
        "baking temperatures. The replicates of different recipes are unrelated.",
        columns={
            "replicate": "replicate within its recipe (15 levels)",
            "recipe": "recipe (3 levels)",
            "temperature": "baking temperature (ordered, 175 < 185 < ... < 225)",
            "angle": "angle at which the cake broke, in degrees",
            "temp": "baking temperature as a number; the R help gives degrees Fahrenheit",
        },
        n_rows=270,
        origin=_LME4.format("cake"),
        references=(
            (
                "F. E. Cook (1938). Chocolate cake, I. Optimum baking temperature. Master's thesis, Iowa State "
                "College."
            ),
            "W. G. Cochran and G. M. Cox (1957). Experimental Designs, 2nd edition. John Wiley & Sons, New York.",
            (
                "Y. Lee, J. A. Nelder and Y. Pawitan (2006). Generalized Linear Models with Random Effects: Unified "
                "Analysis via H-likelihood. Chapman & Hall/CRC, Boca Raton."
            ),
        ),
    ),
    DataSet(
        name="cbpp",
        title="Contagious bovine pleuropneumonia in herds of zebu cattle",
        about="New infections were counted in 15 herds of the Ethiopian highlands in up to four periods.",
        columns={
            "herd": "herd (15 levels)",
            "incidence": "number of new serological cases in the period",
            "size": "size of the herd at the beginning of the period",
            "period": "period (4 levels)",
            "obs": "one level for each row (56 levels)",
            "prop": "incidence divided by size",
        },
        n_rows=56,
        origin=_LME4.format("cbpp") + ", with obs and prop added",
        references=(
            (
                "M. Lesnoff, G. Laval, P. Bonnet, S. Abdicho, A. Workalemahu, D. Kifle, A. Peyraud, R. Lancelot and "
                "F. Thiaucourt (2004). Within-herd spread of contagious bovine pleuropneumonia in Ethiopian "
                "highlands. Preventive Veterinary Medicine 64(1), 27-40."
            ),
        ),
    ),
    DataSet(
        name="VerbAgg",
        title="Responses to a questionnaire on verbal aggression",
        about="For each of 24 items, 316 people said whether they would want to, or would, react with a certain verbal "
        "behaviour in a frustrating situation.",
        columns={
            "Anger": "trait anger score of the person (State-Trait Anger Expression Inventory)",
            "Gender": "gender of the person (F, M)",
            "item": "item of the questionnaire (24 levels)",
            "resp": "response (ordered, no < perhaps < yes)",
            "id": "person (316 levels)",
            "btype": "behaviour: curse, scold or shout",
            "situ": "who is to blame in the situation: other or self",
            "mode": "whether the item says want or do",
            "r2": "the response in two classes: N for no, Y for perhaps and yes",
        },
        n_rows=7584,
        origin=_LME4.format("VerbAgg"),
        references=(
            (
                "P. De Boeck and M. Wilson (editors) (2004). Explanatory Item Response Models: A Generalized Linear "
                "and Nonlinear Approach. Springer, New York."
            ),
        ),
    ),
    DataSet(
        name="grouseticks",
        title="Numbers of ticks on red grouse chicks",
        about="Ticks were counted on the heads of red grouse chicks; chicks belong to broods, broods to "
        "locations on the moor.",
        columns={
            "INDEX": "chick: one level for each row (403 levels)",
            "TICKS": "number of ticks",
            "BROOD": "brood (118 levels)",
            "HEIGHT": "height above sea level, in metres",
            "YEAR": "year minus 1900 (3 levels)",
            "LOCATION": "location (63 levels)",
            "cHEIGHT": "height minus its mean, in metres",
        },
        n_rows=403,
        origin=_LME4.format("grouseticks"),
        references=(
            (
                "D. A. Elston, R. Moss, T. Boulinier, C. Arrowsmith and X. Lambin (2001). Analysis of aggregation, a "
                "worked example: numbers of ticks on red grouse chicks. Parasitology 122(5), 563-569."
            ),
        ),
    ),
    DataSet(
        name="Arabidopsis",
        title="Fruits of Arabidopsis thaliana after clipping and fertilisation",
        about="Genotypes from nine populations were grown with and without added nutrients and with and "
        "without damage to the apical meristem, which imitates grazing.",
        columns={
            "reg": "region: NL (Netherlands), SP (Spain) or SW (Sweden)",
            "popu": "population, named by number and region (9 levels)",
            "gen": "genotype, a number (24 values)",
            "rack": "greenhouse rack, 1 or 2",
            "nutrient": "fertilisation: 1 (minimal) or 8 (added)",
            "amd": "apical meristem damage: clipped or unclipped",
            "status": "how the plant germinated: Normal, Petri.Plate or Transplant",
            "total.fruits": "number of fruits of the plant",
        },
        n_rows=625,
        origin=_LME4.format("Arabidopsis"),
        references=(
            (
                "J. A. Banta, M. H. H. Stevens and M. Pigliucci (2010). A comprehensive test of the 'limiting "
                "resources' framework applied to plant tolerance to apical meristem damage. Oikos 119(2), 359-369."
            ),
        ),
    ),
)
