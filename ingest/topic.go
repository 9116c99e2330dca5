package ingest

import "strings"

// Topics are {prefix}/{device}/{kind}: a device speaks under its own name only.
const (
	// ReadingsTopic is what devices publish readings under, in the native format.
	ReadingsTopic = "readings"
	// StatusTopic is what devices say of themselves under.
	StatusTopic = "status"
	// ReceiptsTopic is what devices are answered under.
	ReceiptsTopic = "receipts"
	// SummaryTopic stands behind the topic of a format, "readings/summary", where the sender
	// wants one receipt for the message, in the place of one for each reading.
	SummaryTopic = "summary"
)

// ParseTopic splits a topic under the prefix into the device's name and what
// follows it, and reports whether it has both.
func ParseTopic(prefix, topic string) (device, kind string, ok bool) {
	rest, ok := strings.CutPrefix(topic, prefix)
	if !ok || !strings.HasPrefix(rest, "/") {
		return "", "", false
	}
	device, kind, ok = strings.Cut(rest[1:], "/")
	return device, kind, ok && device != "" && kind != ""
}

// Topic is the topic of a device and a kind under the prefix.
func Topic(prefix, device, kind string) string { return prefix + "/" + device + "/" + kind }

// Summed reports whether one receipt is wanted for a message of that kind, and returns the
// kind without that wish.
func Summed(kind string) (format string, summed bool) {
	return strings.CutSuffix(kind, "/"+SummaryTopic)
}
