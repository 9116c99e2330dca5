package service

import (
	"log/slog"
	"time"
)

const everySecond = time.Second

var utc = time.UTC

// cronLog passes what cron says to the service's log. Cron tells of every
// wake-up: that is for debugging.
type cronLog struct{ log *slog.Logger }

func (c cronLog) Info(message string, pairs ...any) { c.log.Debug("cron: "+message, pairs...) }

func (c cronLog) Error(err error, message string, pairs ...any) {
	c.log.Error("cron: "+message, append(pairs, "error", err)...)
}
