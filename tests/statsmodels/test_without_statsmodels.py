"""statsmodels is an extra: without it the package works, and its interface says what to install."""

import subprocess
import sys

HIDE = "import sys; sys.modules['statsmodels'] = None\n"


def output(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_package_does_not_import_it():
    code = "import mixedmodels as m, sys\nm.lmer('Yield ~ 1 + (1 | Batch)', m.load_dyestuff()).summary()\n"
    assert output(code + "print('statsmodels' in sys.modules, 'mixedmodels.statsmodels' in sys.modules)") == (
        "False False"
    )


def test_the_package_works_without_it():
    code = "import mixedmodels as m\nprint(m.lmer('Yield ~ 1 + (1 | Batch)', m.load_dyestuff()).nobs)"
    assert output(HIDE + code) == "30"


def test_the_interface_says_what_to_install():
    code = "try:\n    import mixedmodels.statsmodels\nexcept ImportError as error:\n    print(error)"
    assert output(HIDE + code) == (
        "mixedmodels.statsmodels needs the package statsmodels: pip install 'mixedmodels[statsmodels]'"
    )
