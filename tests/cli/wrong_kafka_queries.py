# SPDX-License-Identifier: Apache-2.0
#
# As wrong_queries.py, for the Kafka source and sink; no broker is asked.
from wrong_queries import case

KAFKA = "source:\n  type: kafka\n  {}\n  properties: {{ bootstrap.servers: localhost:1 }}\n  schema: \"id long\"\n"

OWNED_BY_CONSUMER = ["enable.auto.commit", "enable.auto.offset.store", "auto.commit.interval.ms", "auto.offset.reset",
                     "isolation.level", "enable.partition.eof", "partition.assignment.strategy", "group.instance.id"]
OWNED_BY_PRODUCER = ["enable.idempotence", "acks", "request.required.acks", "transactional.id",
                     "delivery.report.only.error"]

CASES = [
    case("subscribe and assign", [("subscribe, subscribePattern and assign", "write one of")],
         source=KAFKA.format("subscribe: §[a]\n  assign: { b: [0] }")),
    case("no topics", [("needs topics", "subscribe")], source=KAFKA.format("").replace("type", "§type", 1)),
    case("one error of the source hides no other",
         [("subscribe: 't' is not a list", "."), ("exclude each other", "write one of"), ("startingOffsets", "."),
          ("'enable.auto.commit' is set", "."), ("no property 'foo.bar'", ".")],
         source="source:\n  type: kafka\n  subscribe: §§t\n  assign: { b: [0] }\n  startingOffsets: §newest\n"
                "  properties: { bootstrap.servers: localhost:1, §enable.auto.commit: true, §foo.bar: 1 }\n"
                "  schema: \"id long\"\n"),
    case("a wrong list of topics is not also none", [("subscribe: 't' is not a list", ".")],
         source=KAFKA.format("subscribe: §t")),
    case("wrong columns, and the key of the sink",
         [("column 'no' is not", "."), ("column 'nope' is not", ".")],
         sinks="sinks:\n  - { type: kafka, topic: t, columns: [§no], keyCol: §nope, "
               "properties: { bootstrap.servers: localhost:1 } }\n"),
    case("wrong topic, and the names of the sink",
         [("topic: a list is not", "."), ("column 'no' is not", "."), ("column 'nope' is not", ".")],
         sinks="sinks:\n  - { type: kafka, topic: §[t], columns: [id, §no], keyCol: §nope, "
               "properties: { bootstrap.servers: localhost:1 } }\n"),
    case("wrong source, and the key of the sink",
         [("maxFilesPerTrigger: 'x' is not", "."), ("unknown type 'dubble'", "."), ("column 'nope' is not", ".")],
         source='source:\n  type: file\n  path: in\n  maxFilesPerTrigger: §x\n  schema: §"id dubble"\n',
         sinks="sinks:\n  - { type: kafka, topic: t, keyCol: §nope, properties: { bootstrap.servers: localhost:1 } }\n"),
    case("headers that are not kept", [("column '__headers' is empty", "includeHeaders: true")],
         source=KAFKA.format("subscribe: [a]"), sinks="sinks:\n  - { type: console, columns: [id, §__headers] }\n"),
    case("bad pattern of topics", [("subscribePattern", ".")], source=KAFKA.format("subscribePattern: §'a('")),
    case("bad starting offsets", [("startingOffsets", ".")],
         source=KAFKA.format("subscribe: [a]\n  startingOffsets: §soon")),
    case("unknown property", [("no property 'mesage.max.bytes'", "'message.max.bytes'")],
         sinks="sinks:\n  - { type: kafka, topic: t, properties: { bootstrap.servers: localhost:1, "
               "§mesage.max.bytes: 1 } }\n"),
    case("unknown property that has no default", [("no property 'sasl.pasword'", "'sasl.password'")],
         sinks="sinks:\n  - { type: kafka, topic: t, properties: { bootstrap.servers: localhost:1, "
               "§sasl.pasword: x } }\n"),
    case("broker that is empty", [("'bootstrap.servers' is empty", "host:9092")],
         sinks="sinks:\n  - { type: kafka, topic: t, properties: { §bootstrap.servers: '' } }\n"),
    case("wrong value of a property", [("'linger.ms': Invalid value", "librdkafka")],
         sinks="sinks:\n  - { type: kafka, topic: t, properties: { bootstrap.servers: localhost:1, "
               "§linger.ms: soon } }\n"),
    case("no broker", [("bootstrap.servers", "bootstrap.servers")], sinks="sinks:\n  - §{ type: kafka, topic: t }\n"),
    case("no topic of a sink", [("'topic' is missing", "topic")],
         sinks="sinks:\n  - §{ type: kafka, properties: { bootstrap.servers: localhost:1 } }\n"),
    case("key column that does not exist", [("column 'idd' is not in the schema", "'id'")],
         sinks="sinks:\n  - { type: kafka, topic: t, keyCol: §idd, properties: { bootstrap.servers: localhost:1 } }\n"),
]
CASES += [
    case(f"owned by the consumer: {name}", [(f"'{name}' is set by the engine", "remove it: .{15,}")],
         source=f'source:\n  type: kafka\n  subscribe: [a]\n  properties:\n    bootstrap.servers: localhost:1\n'
                f'    §{name}: "1"\n  schema: "id long"\n')
    for name in OWNED_BY_CONSUMER
]
CASES += [
    case(f"owned by the producer: {name}", [(f"'{name}' is set by the engine", "remove it: .{15,}")],
         sinks=f'sinks:\n  - type: kafka\n    topic: t\n    properties:\n      bootstrap.servers: localhost:1\n'
               f'      §{name}: "1"\n')
    for name in OWNED_BY_PRODUCER
]
