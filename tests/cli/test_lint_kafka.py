# SPDX-License-Identifier: Apache-2.0
#
# Wrong Kafka sources and sinks, with no broker; and that a password is shown nowhere.
import socket
import threading
import unittest

from headrace import Case, query
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


class NoBroker(Case):
    """Why a broker is not reached is said, at lint and by the query that waits for it."""

    SOURCE = ('source:\n  type: kafka\n  subscribe: [a]\n  properties: {{ bootstrap.servers: "{}", security.protocol: {} }}\n'
              '  schema: "id long"\n')

    def answer_with(self, answer):
        """A server that greets everyone with these bytes and hangs up; its address."""
        server = socket.create_server(("127.0.0.1", 0))

        def serve():
            while True:
                try:
                    client = server.accept()[0]
                except OSError:
                    return
                with client:
                    client.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(server.close)
        self.addCleanup(server.shutdown, socket.SHUT_RDWR)
        return "127.0.0.1:%d" % server.getsockname()[1]

    def check(self, address, protocol, cause, hint):
        self.write("query.yaml", query(source=self.SOURCE.format(address, protocol)))
        process = self.start_program("run", "query.yaml")
        done = self.run_program("lint", "query.yaml", expect=69)
        self.assertRegex(done.stdout, f"error: broker {address}: {cause}.*\n  hint: .*{hint}")
        self.assertNotRegex(done.stdout, "in state|/bootstrap")
        self.wait_for_log(process, "broker " + address)
        self.assertRegex(self.seen, f"WARN demo: .*broker {address}: {cause}")
        process.terminate()
        process.communicate(timeout=30)
        self.assertEqual(process.returncode, 0)

    def test_a_name_that_is_not_known(self):
        self.check("no-such-host.invalid:9092", "PLAINTEXT", "Failed to resolve 'no-such-host.invalid:9092'", "DNS")

    def test_nobody_listens(self):
        self.check("127.0.0.1:1", "PLAINTEXT", "Connect to .* failed: Connection refused", "running")

    def test_another_protocol(self):
        address = self.answer_with(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        self.check(address, "PLAINTEXT", "not a Kafka broker", "running")

    def test_no_tls_there(self):
        address = self.answer_with(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        self.check(address, "SSL", ".*wrong version number", "security.protocol")


add_cases(KafkaLint, CASES)

if __name__ == "__main__":
    unittest.main()
