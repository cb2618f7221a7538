# One problem, fitted by lme4's lmer: Rscript lmer.R FORMULA FOLDER RUNS ENOUGH
# Prints "ready" when the data are in memory, then one line of JSON a fit: CPU seconds (user and system) of lmer
# and vcov, the log-likelihood, the evaluations; the first one cold.
suppressMessages(library(lme4))
arguments <- commandArgs(trailingOnly = TRUE)
formula <- as.formula(arguments[1])
folder <- arguments[2]
runs <- as.integer(arguments[3])
enough <- as.numeric(arguments[4])

read_column <- function(name, kind, rows) {
  what <- if (kind == "double") "double" else "integer"
  values <- readBin(file.path(folder, paste0(name, ".bin")), what, rows)
  if (kind != "factor") return(values)
  levels <- readLines(file.path(folder, paste0(name, ".levels")), encoding = "UTF-8")
  structure(values, levels = levels, class = "factor")
}

columns <- read.table(file.path(folder, "columns"), col.names = c("name", "kind", "rows"))
data <- as.data.frame(setNames(Map(read_column, columns$name, columns$kind, columns$rows), columns$name))
# Labels are factors in R, which spares lmer turning numbers into one at each fit.
for (bar in findbars(formula)) for (name in all.vars(bar[[3]])) data[[name]] <- factor(data[[name]])

cpu <- function() sum(proc.time()[1:2])
fit_once <- function(repeats) {
  start <- cpu()
  for (each in seq_len(repeats)) {
    model <- suppressWarnings(suppressMessages(lmer(formula, data)))
    covariance <- vcov(model)
  }
  seconds <- (cpu() - start) / repeats
  cat(sprintf('{"seconds": %.6f, "llf": %.9f, "evaluations": %d}\n',
              seconds, as.numeric(logLik(model)), model@optinfo$feval))
  flush(stdout())
  seconds
}

cat("ready\n")
flush(stdout())
seconds <- fit_once(1)
# The clock of R counts milliseconds: short fits are timed several at once.
repeats <- max(1, ceiling(0.1 / max(seconds, 0.001)))
spent <- seconds
for (run in seq_len(runs)) {
  if (spent >= enough) break
  spent <- spent + repeats * fit_once(repeats)
}
