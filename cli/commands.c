/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "commands.h"

static const cli_option options[OPT_COUNT] = {
    [OPT_JSON] = {"json", 0, CLI_FLAG, NULL, NULL,
                  "prints one JSON document, and errors as JSON on stderr"},
    [OPT_QUIET] = {"quiet", 'q', CLI_FLAG, NULL, NULL,
                   "shows no progress and prints no summary of what was done"},
    [OPT_TIMEOUT] = {"timeout", 0, CLI_REAL, "SECONDS", NULL,
                     "ends each call to the backend after this time; 0: never (default: 60, never "
                     "for check, compact and backup)"},
    [OPT_CONFIG] = {"config", 0, CLI_FILE, "FILE", NULL,
                    "reads this brain configuration file instead of the default one"},
    [OPT_DATA_DIR] = {"data-dir", 0, CLI_DIRECTORY, "DIRECTORY", NULL,
                      "keeps local indexes and run records there instead of in $SIMPLUGIN_DATA"},
    [OPT_PLUGIN_PATH] = {"plugin-path", 0, CLI_DIRECTORIES, "DIRECTORY", NULL,
                         "looks for plugins there first; may be repeated"},
    [OPT_DATASET] = {"dataset", 'd', CLI_TEXT, "NAME", NULL,
                     "the dataset whose runs are meant (default: \"default\")"},
    [OPT_BACKEND] = {"backend", 'b', CLI_TEXT, "NAME", NULL,
                     "the backend (default: the configured one)"},
    [OPT_COLLECTION] = {"collection", 'c', CLI_TEXT, "NAME", NULL,
                        "the collection; with it, KEY is left out of the arguments"},
    [OPT_PARAM] = {"param", 'p', CLI_LIST, "NAME=VALUE", NULL,
                   "a parameter of the backend; a VALUE that is JSON is taken as such, any other "
                   "as text, and all where the backend declares text; may be repeated"},
    [OPT_DIMENSION] = {"dimension", 0, CLI_NUMBER, "N", NULL,
                       "the vectors' dimension (default: that of the first ones added)"},
    [OPT_METRIC] = {"metric", 0, CLI_TEXT, "NAME", NULL,
                    "the metric, such as cosine, dotproduct or euclidean"},
    [OPT_PATCHES_FIELD] = {"patches-field", 0, CLI_TEXT, "FIELD", NULL,
                           "the points are labels of this field, each with a sample id"},
    [OPT_MODEL] = {"model", 0, CLI_TEXT, "NAME", NULL, "the model the vectors come from"},
    [OPT_SUPPORTS_PROMPTS] = {"supports-prompts", 0, CLI_FLAG, NULL, NULL,
                              "the model can embed text"},
    [OPT_FIELD] = {"field", 0, CLI_LIST, "NAME=TYPE", NULL,
                   "declares a field, for backends that want it; may be repeated"},
    [OPT_OVERWRITE] = {"overwrite", 0, CLI_FLAG, NULL, NULL,
                       "replaces a run of that key; its old collection stays"},
    [OPT_FORMAT] = {"format", 0, CLI_CHOICE, "FORMAT", "npy fvecs jsonl",
                    "the format of the files (default: what they look like)"},
    [OPT_IDS] = {"ids", 0, CLI_FILE, "FILE", NULL, "reads ids from FILE, one on each line"},
    [OPT_SAMPLE_IDS] = {"sample-ids", 0, CLI_FILE, "FILE", NULL,
                        "reads sample ids from FILE, one on each line"},
    [OPT_FIELDS_FILE] = {"fields-file", 0, CLI_FILE, "FILE", NULL,
                         "reads the points' fields from FILE, a JSON object on each line"},
    [OPT_FIRST_ID] = {"first-id", 0, CLI_NUMBER, "N", NULL,
                      "numbers rows without ids from N on (default: 0)"},
    [OPT_BATCH] = {"batch", 0, CLI_NUMBER, "ROWS", NULL,
                   "sends this many rows at a time (default: 10000, and 64 MiB at most)"},
    [OPT_NO_OVERWRITE] = {"no-overwrite", 0, CLI_FLAG, NULL, NULL,
                          "leaves points that are there as they are"},
    [OPT_FAIL_EXISTING] = {"fail-existing", 0, CLI_FLAG, NULL, NULL,
                           "fails if a point is there already"},
    [OPT_DUPLICATES] = {"duplicates", 0, CLI_CHOICE, "POLICY", "fail first last",
                        "what a second row of one id in a batch means (default: fail)"},
    [OPT_FILTER] = {"filter", 'f', CLI_TEXT, "FILTER", NULL,
                    "only points for which this holds, such as 'page >= 3'"},
    [OPT_ALL] = {"all", 0, CLI_FLAG, NULL, NULL, "every point"},
    [OPT_FAIL_MISSING] = {"fail-missing", 0, CLI_FLAG, NULL, NULL,
                          "fails if an id is not there, and changes nothing"},
    [OPT_FIELDS] = {"fields", 0, CLI_TEXT, "NAMES", NULL,
                    "also gives these fields, separated by commas; '*' for all"},
    [OPT_NO_VECTORS] = {"no-vectors", 0, CLI_FLAG, NULL, NULL, "leaves the vectors out"},
    [OPT_LIMIT] = {"limit", 'n', CLI_NUMBER, "ROWS", NULL,
                   "ends after this many rows (default for a table: 100)"},
    [OPT_LINES] = {"lines", 0, CLI_FLAG, NULL, NULL,
                   "prints JSON Lines, as `index add` reads them"},
    [OPT_OUTPUT] = {"output", 'o', CLI_FILE, "FILE", NULL,
                    "writes to FILE: vectors as .npy, or points as .jsonl"},
    [OPT_OUTPUT_IDS] = {"output-ids", 0, CLI_FILE, "FILE", NULL,
                        "writes the ids beside it, one on each line"},
    [OPT_VECTOR] = {"vector", 0, CLI_LIST, "ARRAY", NULL,
                    "searches for a vector given as JSON; may be repeated"},
    [OPT_INPUT] = {"input", 'i', CLI_FILE, "FILE", NULL,
                   "searches for every vector in FILE ('-': standard input)"},
    [OPT_TEXT] = {"text", 0, CLI_TEXT, "TEXT", NULL,
                  "searches for a text; backends cannot embed one, so this explains what is needed"},
    [OPT_K] = {"k", 'k', CLI_NUMBER, "N", NULL, "how many points are wanted (default: 10)"},
    [OPT_VIEW] = {"view", 0, CLI_FILE, "FILE", NULL,
                  "searches only among the ids in FILE, one on each line"},
    [OPT_REVERSE] = {"reverse", 0, CLI_FLAG, NULL, NULL, "lists the least similar"},
    [OPT_AGGREGATION] = {"aggregation", 0, CLI_CHOICE, "HOW", "mean post-mean post-min post-max",
                         "makes one query of all queries"},
    [OPT_EXCLUDE_SELF] = {"exclude-self", 0, CLI_FLAG, NULL, NULL,
                          "leaves the points searched for out of what is found"},
    [OPT_MAX_DISTANCE] = {"max-distance", 0, CLI_REAL, "X", NULL, "only points at most so far"},
    [OPT_MIN_SCORE] = {"min-score", 0, CLI_REAL, "X", NULL, "only points at least so similar"},
    [OPT_MMR] = {"mmr", 0, CLI_REAL, "LAMBDA", NULL,
                 "picks points unlike each other: 1 looks only at the query, 0 only at the others"},
    [OPT_FETCH_K] = {"fetch-k", 0, CLI_NUMBER, "N", NULL,
                     "how many points --mmr picks from (default: 4 k)"},
    [OPT_WITH_VECTORS] = {"with-vectors", 0, CLI_FLAG, NULL, NULL, "also gives the vectors"},
    [OPT_DELETE_RUN] = {"delete-run", 0, CLI_FLAG, NULL, NULL, "deletes the run's record as well"},
    [OPT_DROP] = {"drop", 0, CLI_FLAG, NULL, NULL, "drops them; goes with a PREFIX"},
    [OPT_NO_LOAD] = {"no-load", 0, CLI_FLAG, NULL, NULL,
                     "does not load the plugin to ask what it declares"},
    [OPT_NO_PROBE] = {"no-probe", 0, CLI_FLAG, NULL, NULL, "lists files without loading any"},
    [OPT_WHERE] = {"where", 'w', CLI_LIST, "NAME=VALUE", NULL,
                   "only runs whose configuration has this value, such as type=similarity; may be "
                   "repeated"},
    [OPT_TENSOR] = {"tensor", 0, CLI_LIST, "NAME=FILE", NULL,
                    "adds the vectors in FILE to the request; may be repeated"},
    [OPT_KEY] = {"key", 0, CLI_TEXT, "KEY", NULL, "calls the index of this brain key"},
    [OPT_CONNECTION] = {"connection", 0, CLI_FLAG, NULL, NULL,
                        "calls a connection to the backend, without an index"},
    [OPT_TO_BACKEND] = {"to-backend", 't', CLI_TEXT, "NAME", NULL,
                        "the backend of the copy (default: the configured one)"},
    [OPT_TO_KEY] = {"to-key", 0, CLI_TEXT, "KEY", NULL,
                    "records the copy as a brain run of that key, once it is one"},
    [OPT_TO_DATASET] = {"to-dataset", 0, CLI_TEXT, "NAME", NULL,
                        "the dataset of --to-key (default: the source's)"},
    [OPT_TO_COLLECTION] = {"to-collection", 0, CLI_TEXT, "NAME", NULL,
                           "the copy's collection (default: the source's name, or with --to-key "
                           "a new one)"},
    [OPT_TO_PARAM] = {"to-param", 0, CLI_LIST, "NAME=VALUE", NULL,
                      "a parameter of the copy's backend, as --param is of the source's; may be "
                      "repeated"},
    [OPT_TO_OVERWRITE] = {"to-overwrite", 0, CLI_FLAG, NULL, NULL,
                          "drops a collection that is there, and replaces a run of --to-key"},
    [OPT_MERGE] = {"merge", 0, CLI_FLAG, NULL, NULL,
                   "adds the points to a collection that is there"},
    [OPT_DRY_RUN] = {"dry-run", 0, CLI_FLAG, NULL, NULL,
                     "only says what would be copied, and what would be lost"},
    [OPT_VERIFY] = {"verify", 0, CLI_CHOICE, "WHAT", "none sample all",
                    "reads points again from both sides (default: sample)"},
    [OPT_SAMPLE_SIZE] = {"sample-size", 0, CLI_NUMBER, "N", NULL,
                         "how many points a sample has (default: 1000)"},
    [OPT_NO_RESUME] = {"no-resume", 0, CLI_FLAG, NULL, NULL,
                       "begins anew where an earlier copy stopped halfway"},
    [OPT_BATCH_BYTES] = {"batch-bytes", 0, CLI_NUMBER, "BYTES", NULL,
                         "how much is read at a time (default: 32 MiB)"},
    [OPT_MIXED_FIELDS] = {"mixed-fields", 0, CLI_CHOICE, "HOW", "fail skip",
                          "what becomes of a value that is not of its field's type: an error, or "
                          "it is left out (default: fail)"},
    [OPT_LANG] = {"lang", 0, CLI_CHOICE, "LANGUAGE", "c rust",
                  "what the backend is written in (default: c)"},
    [OPT_AUTOTOOLS] = {"autotools", 0, CLI_FLAG, NULL, NULL,
                       "builds with autoconf and automake (default for C)"},
    [OPT_MESON] = {"meson", 0, CLI_FLAG, NULL, NULL, "builds with Meson"},
    [OPT_CMAKE] = {"cmake", 0, CLI_FLAG, NULL, NULL, "builds with CMake"},
};

#define LIST(name, ...) static const uint8_t name[] = {__VA_ARGS__, CLI_END}

LIST(common, OPT_JSON, OPT_QUIET, OPT_TIMEOUT, OPT_CONFIG, OPT_DATA_DIR, OPT_PLUGIN_PATH);
LIST(of_backends, OPT_NO_PROBE);
LIST(of_explain, OPT_PARAM, OPT_NO_LOAD);
LIST(of_index, OPT_DATASET, OPT_BACKEND, OPT_COLLECTION, OPT_PARAM);
LIST(of_create, OPT_DATASET, OPT_BACKEND, OPT_COLLECTION, OPT_DIMENSION, OPT_METRIC,
     OPT_PATCHES_FIELD, OPT_MODEL, OPT_SUPPORTS_PROMPTS, OPT_FIELD, OPT_PARAM, OPT_OVERWRITE);
LIST(of_add, OPT_FORMAT, OPT_IDS, OPT_FIRST_ID, OPT_SAMPLE_IDS, OPT_FIELDS_FILE, OPT_BATCH,
     OPT_NO_OVERWRITE, OPT_FAIL_EXISTING, OPT_DUPLICATES, OPT_DATASET, OPT_BACKEND, OPT_COLLECTION,
     OPT_PARAM);
LIST(of_remove, OPT_IDS, OPT_SAMPLE_IDS, OPT_FILTER, OPT_ALL, OPT_FAIL_MISSING, OPT_DATASET,
     OPT_BACKEND, OPT_COLLECTION, OPT_PARAM);
LIST(of_get, OPT_IDS, OPT_SAMPLE_IDS, OPT_FILTER, OPT_FIELDS, OPT_NO_VECTORS, OPT_LIMIT, OPT_LINES,
     OPT_OUTPUT, OPT_OUTPUT_IDS, OPT_FAIL_MISSING, OPT_DATASET, OPT_BACKEND, OPT_COLLECTION,
     OPT_PARAM);
LIST(of_search, OPT_VECTOR, OPT_INPUT, OPT_FORMAT, OPT_TEXT, OPT_IDS, OPT_K, OPT_FILTER, OPT_VIEW,
     OPT_REVERSE, OPT_AGGREGATION, OPT_EXCLUDE_SELF, OPT_MAX_DISTANCE, OPT_MIN_SCORE, OPT_MMR,
     OPT_FETCH_K, OPT_FIELDS, OPT_WITH_VECTORS, OPT_DATASET, OPT_BACKEND, OPT_COLLECTION,
     OPT_PARAM);
LIST(of_size, OPT_FILTER, OPT_DATASET, OPT_BACKEND, OPT_COLLECTION, OPT_PARAM);
LIST(of_gc, OPT_DROP, OPT_BACKEND, OPT_PARAM);
LIST(of_cleanup, OPT_DELETE_RUN, OPT_DATASET, OPT_BACKEND, OPT_COLLECTION, OPT_PARAM);
LIST(of_copy, OPT_TO_BACKEND, OPT_TO_KEY, OPT_TO_DATASET, OPT_TO_COLLECTION, OPT_TO_PARAM,
     OPT_TO_OVERWRITE, OPT_MERGE, OPT_DRY_RUN, OPT_VERIFY, OPT_SAMPLE_SIZE, OPT_NO_RESUME,
     OPT_BATCH_BYTES, OPT_MIXED_FIELDS, OPT_FIELD, OPT_METRIC, OPT_PATCHES_FIELD, OPT_DATASET,
     OPT_BACKEND, OPT_COLLECTION, OPT_PARAM);
LIST(of_list, OPT_DATASET, OPT_WHERE);
LIST(of_run, OPT_DATASET);
LIST(of_call, OPT_TENSOR, OPT_FORMAT, OPT_KEY, OPT_CONNECTION, OPT_DATASET, OPT_BACKEND,
     OPT_COLLECTION, OPT_PARAM);
LIST(of_new_backend, OPT_LANG, OPT_AUTOTOOLS, OPT_MESON, OPT_CMAKE);

static const uint8_t nothing[] = {CLI_END};

#define ANY SIZE_MAX

static const cli_command commands[] = {
    {NULL, "backends", "", 0, 0, NULL, "lists the backends that can be used",
     "Every plugin that is found is loaded in a process of its own and asked what it is, so that "
     "one that crashes or hangs is told of and does no harm. The default is marked with '*'.",
     of_backends, cli_backends},
    {NULL, "explain", "[BACKEND]", 0, 1, NULL,
     "prints every parameter of a backend, and where its value comes from",
     "Values come, first to last, from --param, the environment, the brain configuration file and "
     "the plugin's defaults. Secrets are masked. Nothing is connected.",
     of_explain, cli_explain},
    {"index", "create", "[KEY]", 0, 1, NULL, "makes an index, or connects to a collection",
     "With KEY the index is recorded as a brain run of that key and found by it later. Without "
     "KEY, give --collection. A collection that is there already is connected to, not changed.",
     of_create, cli_index_create},
    {"index", "add", "KEY FILE...", 1, ANY, NULL, "adds the vectors in files to an index",
     "FILE is a NumPy array (.npy; float16, float32 or float64), an .fvecs file, or JSON Lines of "
     "{\"id\": \"a\", \"vector\": [1, 0], \"sample_id\": \"s\", \"fields\": {\"page\": 3}}; '-' is "
     "standard input. Rows of arrays get ids from --ids, or their number.\n\n"
     "Each batch is stored for good before the next is sent: what was added before an error or "
     "Ctrl-C stays, and the same command may be run again.",
     of_add, cli_index_add},
    {"index", "remove", "KEY [ID...]", 0, ANY, NULL, "removes points from an index",
     "By their ids, by --sample-ids, by --filter, or --all of them.", of_remove, cli_index_remove},
    {"index", "get", "KEY [ID...]", 0, ANY, NULL, "prints points of an index, or all of them",
     "With ids, in their order; without, the whole index or what --filter leaves of it, in "
     "constant memory.",
     of_get, cli_index_get},
    {"index", "search", "KEY [ID...]", 0, ANY, NULL, "finds the points nearest to some others",
     "Searches for the vectors of points given by their ids, for --vector, or for those in "
     "--input. Distances are smaller the nearer; scores are the backend's own.",
     of_search, cli_index_search},
    {"index", "info", "KEY", 0, 1, NULL, "prints what an index is", NULL, of_index,
     cli_index_info},
    {"index", "size", "KEY", 0, 1, NULL, "prints the exact number of points", NULL, of_size,
     cli_index_size},
    {"index", "cleanup", "KEY", 0, 1, NULL, "drops the collection behind an index",
     "The run's record stays, unless --delete-run is given.", of_cleanup, cli_index_cleanup},
    {"index", "gc", "[PREFIX]", 0, 1, NULL, "finds collections that no run names",
     "Of the backend, those whose names begin with PREFIX. A collection may be somebody's without a "
     "run: look at them before they are dropped. Those that begin with fiftyone-cache- are caches "
     "of runs that a database of FiftyOne's names, and are made again when they are wanted, but for "
     "changes that were never saved.",
     of_gc, cli_index_gc},
    {"index", "check", "KEY", 0, 1, NULL, "reads a local index through and verifies it",
     "While it is in use.", of_index, cli_index_check},
    {"index", "compact", "KEY", 0, 1, NULL, "gives the space of removed points back",
     "While the index is in use.", of_index, cli_index_compact},
    {"index", "backup", "KEY PATH", 1, 2, NULL, "writes a consistent copy of a local index",
     "While it is in use. PATH must not exist.", of_index, cli_index_backup},
    {NULL, "copy", "[KEY]", 0, 1, NULL, "copies an index into any backend",
     "The points of KEY, or of --collection, with their ids, vectors, fields and sample ids; what "
     "the other backend cannot keep is told first. At the end points of both sides are compared. "
     "Metric, model and field of patches are the source's, unless --metric and --patches-field say "
     "otherwise.\n\n"
     "Ctrl-C, an error or the end of a server loses nothing: the same command goes on where it "
     "stopped.",
     of_copy, cli_copy},
    {"runs", "list", "", 0, 0, NULL, "lists brain runs", NULL, of_list, cli_runs_list},
    {"runs", "info", "KEY", 1, 1, NULL, "prints the record of a run", NULL, of_run, cli_runs_info},
    {"runs", "rename", "KEY NEW_KEY", 2, 2, NULL, "gives a run another key", NULL, of_run,
     cli_runs_rename},
    {"runs", "delete", "KEY", 1, 1, NULL, "deletes the record of a run",
     "The collection stays; `index cleanup` drops that.", of_run, cli_runs_delete},
    {NULL, "call", "METHOD [JSON]", 1, 2, NULL, "calls any method of the protocol",
     "JSON is the request's body ('-': from standard input). The method is called on the session, "
     "or on the index of --key or --collection, or with --connection on a connection to "
     "--backend. docs/protocol.md lists the methods.",
     of_call, cli_call_method},
    {NULL, "metrics", "", 0, 0, NULL, "prints this process's metrics in Prometheus' text format",
     NULL, nothing, cli_metrics},
    {NULL, "new-backend", "NAME", 1, 1, NULL, "makes a project for a backend of your own",
     "Into the directory simplugin-NAME, which must not exist: a backend that keeps vectors in "
     "memory and passes its tests, to put your database into; with what builds, tests and packs "
     "it. NAME is made of a to z, 0 to 9 and _. docs/backend-guide.md goes on from there.",
     of_new_backend, cli_new_backend},
    {NULL, "completion", "SHELL", 1, 1, "bash zsh fish man",
     "writes a script that completes command lines, or the man page",
     "For bash: source <(simplugin completion bash)", nothing, cli_write_completion},
};

const cli_table cli_commands = {
    .program = "simplugin",
    .version = PACKAGE_VERSION,
    .summary = "vector similarity search with exchangeable backends",
    .options = options,
    .option_count = OPT_COUNT,
    .commands = commands,
    .command_count = sizeof(commands) / sizeof(commands[0]),
    .common = common,
};
