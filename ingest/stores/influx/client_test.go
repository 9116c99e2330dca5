package influx

import (
	"fmt"
	"testing"
	"time"

	influxhttp "github.com/influxdata/influxdb-client-go/v2/api/http"
)

func TestServerThatAsksForADayIsAskedAgainWithinMinutes(t *testing.T) {
	for seconds, want := range map[uint]time.Duration{0: 0, 30: 30 * time.Second, 86_400: longestRest, 4_000_000_000: longestRest} {
		err := fmt.Errorf("write to InfluxDB: %w", &influxhttp.Error{StatusCode: 429, RetryAfter: seconds})
		if got := retryAfter(err); got != want {
			t.Errorf("asked for %d s, it is left alone for %v, want %v", seconds, got, want)
		}
	}
}
