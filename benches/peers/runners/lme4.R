# The peer lme4: reads the commands described in ../protocol.py and answers them.

reply <- function(...) {
  cat("@", ..., sep = "\t", file = stdout())
  cat("\n", file = stdout())
  flush(stdout())
}

one_line <- function(text) gsub("[[:space:]]+", " ", text)

read_frame <- function(stem) {
  schema <- readLines(paste0(stem, ".schema"), encoding = "UTF-8")
  frame <- read.csv(paste0(stem, ".csv"), check.names = FALSE, na.strings = "NA")
  at <- 1
  while (at <= length(schema)) {
    field <- strsplit(schema[at], "\t", fixed = TRUE)[[1]]
    n_levels <- as.integer(field[3])
    if (field[1] != "number") {
      levels <- schema[at + seq_len(n_levels)]
      codes <- as.integer(frame[[field[2]]])
      frame[[field[2]]] <- factor(levels[codes], levels = levels, ordered = field[1] == "ordered")
    }
    at <- at + 1 + n_levels
  }
  frame
}

# Every column whose name begins with y, by refitting the model of the first.
fit_many <- function(formula, data, reml) {
  responses <- grep("^y", names(data), value = TRUE)
  full <- update(formula, as.formula(paste(responses[1], "~ .")))
  first <- lmer(full, data, REML = reml)
  lapply(responses, function(name) refit(first, data[[name]]))
}

minus_two_log_likelihood <- function(model) -2 * as.numeric(logLik(model))

# -2 log-likelihood of the saturated model, which lme4 leaves out of its objective for nAGQ > 1.
saturated <- function(model) {
  response <- model@resp
  response$family$aic(response$y, rep(1, length(response$y)), response$y, response$weights, 0)
}

# Times fit() until `burst` seconds are spent and replies with the objective of the last result.
fit_repeatedly <- function(fit, objective, burst) {
  seconds <- numeric()
  repeat {
    gc(FALSE)
    start <- Sys.time()
    fitted <- suppressMessages(suppressWarnings(fit()))
    seconds <- c(seconds, as.numeric(difftime(Sys.time(), start, units = "secs")))
    if (sum(seconds) >= burst) break
  }
  reply("fit", paste(sprintf("%.9g", seconds), collapse = ","), sprintf("%.17g", objective(fitted)))
}

fit_linear <- function(formula, data, reml, burst, control) {
  fit <- function() {
    if (length(formula) == 2) fit_many(formula, data, reml)
    else if (is.null(control)) list(lmer(formula, data, REML = reml))
    else list(lmer(formula, data, REML = reml, control = control))
  }
  objective <- function(models) {
    sum(vapply(models, if (reml) REMLcrit else minus_two_log_likelihood, numeric(1)))
  }
  fit_repeatedly(fit, objective, burst)
}

fit_generalized <- function(formula, data, burst, family, n_agq, weights) {
  call <- list(quote(glmer), quote(formula), quote(data), family = family, nAGQ = n_agq)
  if (!is.na(weights)) call$weights <- as.name(weights)
  call <- as.call(call)
  objective <- function(model) {
    minus_two_log_likelihood(model) + if (n_agq > 1) saturated(model) else 0
  }
  fit_repeatedly(function() eval(call), objective, burst)
}

answer <- function(field) {
  switch(field[1],
    load = {
      datasets[[field[2]]] <<- read_frame(field[3])
      reply("loaded", nrow(datasets[[field[2]]]))
    },
    fit = {
      control <- if (is.na(field[6])) NULL else eval(parse(text = field[6]))
      fit_linear(as.formula(field[3]), datasets[[field[2]]], field[4] == "1", as.numeric(field[5]), control)
    },
    glmer = fit_generalized(
      as.formula(field[3]), datasets[[field[2]]], as.numeric(field[4]), field[5], as.integer(field[6]), field[7]
    ),
    stop(paste("unknown command", field[1]))
  )
}

if (!suppressMessages(suppressWarnings(require(lme4, quietly = TRUE)))) {
  reply("missing", "R has no package lme4")
  quit(status = 0)
}
datasets <- list()
blas_path <- extSoftVersion()[["BLAS"]]
blas <- file.path(basename(dirname(blas_path)), basename(blas_path))
reply("ready", sprintf("lme4 %s (R %s, %s)", packageDescription("lme4")$Version, getRversion(), blas))
commands <- file("stdin", "r")
repeat {
  line <- readLines(commands, n = 1)
  if (length(line) == 0) break
  field <- strsplit(line, "\t", fixed = TRUE)[[1]]
  if (field[1] == "quit") break
  tryCatch(answer(field), error = function(e) reply("error", one_line(conditionMessage(e))))
}
