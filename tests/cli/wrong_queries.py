# SPDX-License-Identifier: Apache-2.0
#
# Query files that are wrong in one way each (one in several), and what lint must say. The sign § stands before each
# place that a finding must name, in the order of the file, and is taken out before the program sees it. A finding is
# (pattern of the message, pattern of the hint).
from headrace import query


def case(title, findings, text=None, env=None, files=None, **sections):
    return {"name": title, "text": text or query(**sections), "findings": findings, "env": env, "files": files or {}}


def stages(*lines):
    return "pipeline:\n  stages:\n" + "".join(f"    - {line}\n" for line in lines)


LOGISTIC = "{ type: OnlineLogisticRegression, featuresCol: v, labelCol: y }"

CASES = [
    # YAML
    case("bad YAML", [("not YAML", ".")], text="apiVersion: headrace/v1\nkind: §]Query\n"),
    case("empty file", [("empty", "apiVersion")], text="§"),
    case("not UTF-8", [("not UTF-8", "UTF-8")], text=b"apiVersion: headrace/v1\nkind: \xc2\xa7\xff\n"),
    case("not a mapping", [("mapping", "apiVersion")], text="§- a\n- b\n"),
    case("duplicate key", [("duplicate key 'name' \\(first at line 3\\)", "remove")],
         name="name: demo\n§name: other\n"),
    case("duplicate key in a section", [("duplicate key 'path'", "remove")],
         sinks="sinks:\n  - { type: file, path: out, §path: out2 }\n"),
    case("merge key", [("merge keys", "write the keys out")],
         sinks="x-base: &base { id: one }\nsinks:\n  - { §<<: *base, type: console }\n"),
    # keys
    case("typo in a key", [("'path' is missing", "path"), ("unknown key 'pth'", "'path'")],
         source='source:\n  §type: file\n  §pth: in\n  schema: "id long"\n'),
    case("typo at the root", [("unknown key 'deadletters'", "'deadLetter'")],
         deadLetter="§deadletters: { type: file, path: bad }\n"),
    case("snake case", [("unknown key 'max_rows_per_trigger'", "'maxRowsPerTrigger'")],
         source='source:\n  type: file\n  path: in\n  §max_rows_per_trigger: 10\n  schema: "id long"\n'),
    case("typo in a stage", [("'inputCol' is missing", "."), ("unknown key 'inputcol'", "'inputCol'")],
         pipeline=stages("§{ type: Normalizer, §inputcol: v, outputCol: n }")),
    case("typo in a model", [("unknown key 'learnrate'", "'learningRate'")],
         model="model: { type: OnlineLogisticRegression, featuresCol: v, labelCol: y, §learnrate: 1 }\n"),
    case("missing key, at its parent", [("'path' is missing", "file")],
         source='source:\n  §type: file\n  schema: "id long"\n'),
    case("no source", [("'source' is missing", "source")], head="§apiVersion: headrace/v1\nkind: Query\n",
         source=None),
    case("no schema", [("'schema'", "schema")], source="source:\n  §type: file\n  path: in\n"),
    case("no type of a sink", [("type", "type")], sinks="sinks:\n  - §{ path: out }\n"),
    case("wrong apiVersion", [("apiVersion", "headrace/v1")],
         head="apiVersion: §headrace/v2\nkind: Query\n"),
    case("wrong name", [("not a query name", "a-z")], name="name: §Bad_Name\n"),
    # values
    case("wrong type: a text for a number", [("maxFilesPerTrigger: 'many' is not an integer", ".")],
         source='source:\n  type: file\n  path: in\n  maxFilesPerTrigger: §many\n  schema: "id long"\n'),
    case("wrong type: a list for a text", [("path: a list is not text", ".")],
         source='source:\n  type: file\n  path: §[in]\n  schema: "id long"\n'),
    case("wrong type: a text for a boolean", [("'yes' is not true or false", ".")],
         model="model: { type: OnlineLogisticRegression, featuresCol: v, labelCol: y, fitIntercept: §yes }\n"),
    case("wrong type: sinks is no list", [("sinks must be a list", "sinks")], sinks="sinks: §{ type: console }\n"),
    case("out of range", [("'2' is out of range", ".")],
         model="model: { type: OnlineLogisticRegression, featuresCol: v, labelCol: y, threshold: §2 }\n"),
    case("unknown value of a choice", [("optimizer: 'ftlr' is not one of sgd, adagrad, ftrl", "'ftrl'")],
         model="model: { type: OnlineLogisticRegression, featuresCol: v, labelCol: y, optimizer: §ftlr }\n"),
    case("bad duration", [("'10 parsecs' is not a duration", ".")],
         trigger="trigger: { processingTime: §10 parsecs }\n"),
    case("bad size", [("'64KX' is not a size", ".")],
         source='source:\n  type: file\n  path: in\n  format: { type: json, maxRecordBytes: §64KX }\n'
                '  schema: "id long"\n'),
    case("two triggers", [("one kind only", "availableNow")],
         trigger="trigger: §{ availableNow: true, processingTime: 5s }\n"),
    # components
    case("unknown source", [("unknown source type 'fiel'", "'file'")],
         source='source:\n  type: §fiel\n  path: in\n  schema: "id long"\n'),
    case("unknown format", [("'jsno'", "'json'")],
         source='source:\n  type: file\n  path: in\n  format: { type: §jsno }\n  schema: "id long"\n'),
    case("unknown stage", [("unknown stage 'Normaliser'", "'Normalizer'")],
         pipeline=stages("{ type: §Normaliser, inputCol: v, outputCol: n }")),
    case("unknown model", [("unknown model 'StreamingKMean'", "'StreamingKMeans'")],
         model="model: { type: §StreamingKMean, k: 2 }\n"),
    case("unknown sink", [("unknown sink type 'consol'", "'console'")], sinks="sinks:\n  - { type: §consol }\n"),
    case("unknown metric", [("unknown metric 'acuracy'", "'accuracy'")],
         model=f"model: {LOGISTIC}\n", evaluation="evaluation: { metrics: [auc, §acuracy] }\n"),
    case("metric of another task", [("'rmse' is for regression", ".")],
         model=f"model: {LOGISTIC}\n", evaluation="evaluation: { metrics: [§rmse] }\n"),
    case("evaluation without a model", [("evaluation needs a model", "model")],
         evaluation="§evaluation: { metrics: [auc] }\n"),
    # schema
    case("unknown type of a column", [("unknown type 'dubble'", "'double'")],
         source="source:\n  type: file\n  path: in\n  schema:\n    - { name: x, type: §dubble }\n"),
    case("unknown type in DDL", [("unknown type 'dubble'", "'double'")],
         source='source:\n  type: file\n  path: in\n  schema: §"id long, x dubble"\n'),
    case("bad ICU pattern", [("pattern", "epochMillis|ICU|yyyy")],
         source="source:\n  type: file\n  path: in\n  schema:\n"
                "    - { name: t, type: timestamp, format: §\"yyyy-MM-dd'T\" }\n"),
    case("bad JSON pointer", [("pointer", "/")],
         source="source:\n  type: file\n  path: in\n  schema:\n    - { name: x, type: double, path: §a.b }\n"),
    case("duplicate column", [("'x'", ".")],
         source="source:\n  type: file\n  path: in\n  schema:\n    - { name: x, type: double }\n"
                "    - { name: §x, type: long }\n"),
    # pipeline
    case("missing column of a stage", [("column 'w' is not in the schema \\(columns: id, x, v, y, text\\)", "columns")],
         pipeline=stages("{ type: Normalizer, inputCol: §w, outputCol: n }")),
    case("missing column, nearest name", [("column 'txt' is not in the schema", "'text'")],
         pipeline=stages("{ type: Tokenizer, inputCol: §txt, outputCol: words }")),
    case("column of the wrong type", [("column 'text' is string", ".")],
         pipeline=stages("{ type: Normalizer, inputCol: §text, outputCol: n }")),
    case("two stages that write one column", [("column 'n' exists already", ".")],
         pipeline=stages("{ type: Normalizer, inputCol: v, outputCol: n }",
                         "{ type: Normalizer, inputCol: v, outputCol: §n }")),
    case("two stages of one id", [("two stages have the id 'a'", "own")],
         pipeline=stages("{ type: Normalizer, id: a, inputCol: v, outputCol: n }",
                         "{ type: Normalizer, id: §a, inputCol: v, outputCol: m }")),
    case("estimator without fitted values", [("StringIndexer 'si' has no fitted values", "headrace fit")],
         pipeline=stages("§{ type: StringIndexer, id: si, inputCol: text, outputCol: t }")),
    case("bad regular expression", [("pattern", "RegexTokenizer|regular")],
         pipeline=stages('{ type: RegexTokenizer, inputCol: text, outputCol: words, pattern: §"a(b" }')),
    case("splits that do not ascend", [("ascend", "Bucketizer")],
         pipeline=stages("{ type: Bucketizer, inputCol: x, outputCol: b, splits: §[0, 2, 1] }")),
    case("pipeline file that is missing", [("nofile.json", "headrace fit")],
         pipeline="pipeline: { from: §nofile.json }\n"),
    case("pipeline file that is damaged", [("p.json:1:\\d+: not a pipeline file", "headrace fit")],
         pipeline="pipeline: { from: §p.json }\n", files={"p.json": '{"headrace": {"format": 1}, "stages": ['}),
    case("pipeline file that is another JSON", [("no headrace.format", "headrace fit")],
         pipeline="pipeline: { from: §p.json }\n", files={"p.json": '{"stages": []}'}),
    case("pipeline file of another version", [("format version 99; this headrace reads version 1", "headrace 9.9")],
         pipeline="pipeline: { from: §p.json }\n",
         files={"p.json": '{"headrace": {"format": 99, "version": "9.9"}, "stages": []}'}),
    case("pipeline and stages", [("either 'stages' or 'from'", ".")],
         pipeline="pipeline:\n  stages: []\n  §from: p.json\n"),
    # model
    case("missing features", [("column 'features' is not in the schema", ".")],
         model="model: §{ type: OnlineLogisticRegression, labelCol: y }\n"),
    case("missing features, named", [("column 'vv' is not in the schema", "'v'")],
         model="model: { type: OnlineLogisticRegression, featuresCol: §vv, labelCol: y }\n"),
    case("prediction over a column", [("column 'x' exists already", ".")],
         model="model: { type: OnlineLogisticRegression, featuresCol: v, labelCol: y, predictionCol: §x }\n"),
    case("k-means with two ways to fade", [("halfLife", "StreamingKMeans")],
         model="model: { type: StreamingKMeans, featuresCol: v, k: 1, decayFactor: 0.5, halfLife: §2, "
               "initialCenters: { random: { dim: 2, weight: 1 } } }\n"),
    # sinks
    case("column of a sink that does not exist", [("column 'predction' is not in the schema", "'prediction'")],
         model=f"model: {LOGISTIC}\n", sinks="sinks:\n  - { type: console, columns: [id, §predction] }\n"),
    case("two sinks of one id", [("two sinks have the id 'file'", "own")],
         sinks="sinks:\n  - { type: file, path: out }\n  - §{ type: file, path: out2 }\n"),
    case("two sinks in one directory", [("is the directory of the sink", "another path")],
         sinks="sinks:\n  - { type: file, id: a, path: out }\n  - { type: file, id: b, path: §./out/ }\n"),
    case("a guarantee that the sink cannot keep", [("exactly_once cannot be kept: sink 'console'", "at_least_once")],
         guarantee="deliveryGuarantee: §exactly_once\n", sinks="sinks:\n  - { type: console }\n"),
    case("a guarantee that there is not", [("'exactly_two' is not one of", "exactly_once|written out")],
         guarantee="deliveryGuarantee: §exactly_two\n"),
    case("a guarantee of a sink", [("exactly_once cannot be kept", "at_least_once")],
         sinks="sinks:\n  - { type: console, deliveryGuarantee: §exactly_once }\n"),
    case("dead letters to the console", [("console", "file")], deadLetter="deadLetter: { type: §console }\n"),
    case("mode without dead letters", [("deadLetter", "deadLetter")],
         source='source:\n  type: file\n  path: in\n  format: { type: json, mode: §deadLetter }\n  schema: "id long"\n'),
    # variables
    case("undefined variable", [("variable 'NO_SUCH' is not set", "NO_SUCH")], name="name: §${NO_SUCH}\n"),
    case("undefined variable with a message", [("variable 'NO_SUCH' is not set: say the name", "NO_SUCH")],
         name='name: §"${NO_SUCH:?say the name}"\n'),
    case("a variable that does not end", [("\\$\\{", "NAME")], name='name: §"${NO_SUCH"\n'),
    case("the value of a variable is not shown", [("the value is not an integer", ".")],
         source='source:\n  type: file\n  path: in\n  maxFilesPerTrigger: §${MANY}\n  schema: "id long"\n',
         env={"MANY": "s3cret-many"}),
    # all at once
    case("several errors", [("unknown key 'nme'", "'name'"), ("'soon' is not a duration", "."),
                            ("unknown type 'dubble'", "'double'"), ("unknown stage 'Tokeniser'", "'Tokenizer'"),
                            ("unknown model 'KMeans'", "'StreamingKMeans'"), ("unknown sink type 'fil'", "'file'")],
         text='apiVersion: headrace/v1\nkind: Query\n§nme: demo\ntrigger: { processingTime: §soon }\n'
              'source:\n  type: file\n  path: in\n  schema: §"x dubble"\n'
              'pipeline:\n  stages:\n    - { type: §Tokeniser, inputCol: x, outputCol: w }\n'
              'model: { type: §KMeans }\nsinks:\n  - { type: §fil, path: out }\n'),
]
