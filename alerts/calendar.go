package alerts

import "time"

// Calendar is when a care team reads alerts. Telemonitoring is no emergency
// service: answer delays run in opening hours only.
type Calendar struct {
	Zone   *time.Location
	Opens  time.Duration // local time of day
	Closes time.Duration
	Days   [7]bool // by time.Weekday
}
