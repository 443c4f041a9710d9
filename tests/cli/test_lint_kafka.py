# SPDX-License-Identifier: Apache-2.0
#
# Wrong Kafka sources and sinks, with no broker; and that a password is shown nowhere.
import unittest

from headrace import query
from test_lint import Lint, add_cases
from wrong_kafka_queries import CASES


class KafkaLint(Lint):
    SECRET = "s3cret-Passw0rd"
    SASL = ('    bootstrap.servers: localhost:1\n    security.protocol: SASL_PLAINTEXT\n    sasl.mechanism: PLAIN\n'
            '    sasl.username: me\n    sasl.password: "${PW}"\n')
    SOURCE = f'source:\n  type: kafka\n  subscribe: [a]\n  properties:\n{SASL}  schema: "id long"\n'
    SINKS = 'sinks:\n  - type: kafka\n    topic: t\n    properties:\n' + SASL.replace("    ", "      ")

    def all_output(self, *arguments):
        done = self.run_program(*arguments, env={"PW": self.SECRET})
        return done, done.stdout + done.stderr

    def test_a_password_is_shown_nowhere(self):
        dead_letter = 'deadLetter:\n  type: kafka\n  topic: d\n  properties:\n' + self.SASL
        self.write("query.yaml", query(source=self.SOURCE, sinks=self.SINKS, deadLetter=dead_letter))
        for arguments, code in [(("lint", "--offline"), 0), (("lint", "--format", "json"), 69), (("explain",), 0),
                                (("explain", "--format", "json"), 0)]:
            with self.subTest(arguments):
                done, output = self.all_output(*arguments, "--log-level", "debug", "query.yaml")
                self.assertNotIn(self.SECRET, output)
                self.assertEqual(done.returncode, code, output)
        done, output = self.all_output("explain", "--format", "json", "query.yaml")
        self.assertIn('"sasl.password":"<redacted>"', output)

    def test_a_password_in_the_wrong_place_is_not_shown(self):
        wrong = [
            self.SOURCE.replace("me\n", '"${PW}"\n').replace("SASL_PLAINTEXT", '"${PW}"'),
            self.SOURCE.replace("subscribe: [a]", 'subscribe: [a]\n  startingTimestamp: "${PW}"'),
            self.SOURCE.replace("type: kafka", 'type: "${PW}"'),
            self.SOURCE.replace("  schema", '  format: "${PW}"\n  schema'),
            self.SOURCE.replace("subscribe: [a]", 'subscribe: [a]\n  startingOffsets: "${PW}"'),
            self.SOURCE.replace("subscribe: [a]", 'subscribe: [a]\n  maxOffsetsPerTrigger: "${PW}"'),
        ]
        for source in wrong:
            with self.subTest(source):
                self.write("query.yaml", query(source=source))
                done, output = self.all_output("lint", "--offline", "query.yaml")
                self.assertEqual(done.returncode, 78, output)
                self.assertNotIn(self.SECRET, output)

    def test_run_shows_no_password_while_the_broker_is_away(self):
        self.write("query.yaml", query(source=self.SOURCE))
        process = self.start_program("run", "--log-level", "debug", "--progress", "-", "query.yaml",
                                     env={"PW": self.SECRET})
        self.wait_for_log(process, "starts again from the checkpoint")
        process.terminate()
        output = "".join(process.communicate(timeout=30)) + self.seen
        self.assertEqual(process.returncode, 0, output)
        self.assertNotIn(self.SECRET, output)


add_cases(KafkaLint, CASES)

if __name__ == "__main__":
    unittest.main()
