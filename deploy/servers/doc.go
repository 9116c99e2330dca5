// Package servers starts the real servers that tests and benches talk to:
// Mosquitto, InfluxDB, PostgreSQL. Each listens on loopback, on a free port,
// keeps its data in a folder of its own, and ends with the test that asked for it.
//
// A server's program is looked for in the variable of the environment named
// after it (VIGIE_TEST_MOSQUITTO, VIGIE_TEST_INFLUXD, VIGIE_TEST_POSTGRES: the
// path of the program), then where installations put it. Not found anywhere, the
// test is skipped and says so; named by the environment, or found, it has to
// start or the test fails.
package servers

// T is what this package needs of *testing.T and *testing.B.
type T interface {
	Helper()
	TempDir() string
	Failed() bool
	Cleanup(func())
	Skipf(format string, args ...any)
	Fatalf(format string, args ...any)
	Logf(format string, args ...any)
}
