package service

import (
	"log/slog"
	"time"
)

const everySecond = time.Second

var utc = time.UTC

// cronLog passes the errors of cron to the service's log. What it says of every
// wake-up, several times a second, would bury what somebody looks for.
type cronLog struct{ log *slog.Logger }

func (cronLog) Info(string, ...any) {}

func (c cronLog) Error(err error, message string, pairs ...any) {
	c.log.Error("cron: "+message, append(pairs, "error", err)...)
}
