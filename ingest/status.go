package ingest

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"vigie/protocols"
)

// statusPayload is what devices say of themselves:
//
//	{"online":true,"battery":87,"firmware":"1.4.2"}
type statusPayload struct {
	Online   *bool    `json:"online"`
	Battery  *float64 `json:"battery"`
	Firmware string   `json:"firmware"`
}

// MaxFirmware is how many bytes a version may have, and the name of a field that no
// status has, as far as it is told.
const MaxFirmware = 128

// decodeStatus reads a status message. What cannot be used goes into batch as a
// refusal, and nothing is returned.
func decodeStatus(device string, m Message, batch *Batch) *DeviceStatus {
	var payload statusPayload
	reasons := readStatus(m.Payload, &payload)
	if len(reasons) == 0 {
		reasons = checkStatus(&payload)
	}
	if len(reasons) > 0 {
		batch.Refused = append(batch.Refused, Refusal{Reading: protocols.Reading{Device: device, Battery: -1}, Payload: m.Payload, Reasons: reasons})
		return nil
	}
	status := &DeviceStatus{Device: device, Online: *payload.Online, Battery: -1, Firmware: payload.Firmware, At: m.Received}
	if payload.Battery != nil {
		status.Battery = int(math.Round(*payload.Battery))
	}
	return status
}

func readStatus(payload []byte, into *statusPayload) []protocols.Reason {
	if wrong := wrongField(payload); wrong != nil {
		return []protocols.Reason{*wrong}
	}
	decoder := json.NewDecoder(bytes.NewReader(payload))
	err := decoder.Decode(into)
	var wrongType *json.UnmarshalTypeError
	switch {
	case err == nil && decoder.InputOffset() == int64(len(bytes.TrimRight(payload, " \t\r\n"))) && utf8.Valid(payload):
		return nil
	case errors.As(err, &wrongType) && wrongType.Field == "battery":
		return []protocols.Reason{{Code: protocols.NotANumber, Path: "battery", Message: "this has to be a number, in per cent"}}
	case errors.As(err, &wrongType):
		return []protocols.Reason{{Code: protocols.Malformed, Path: wrongType.Field, Message: `a status is {"online":true,"battery":87,"firmware":"1.4.2"}`}}
	}
	return []protocols.Reason{{Code: protocols.Malformed, Message: `this is not JSON; a status is {"online":true,"battery":87,"firmware":"1.4.2"}`}}
}

// wrongField is the first field that no status has, or that is given twice: the
// library would take "Online" for "online", and the last of two. It is nil where the
// payload is no object, which the caller finds.
func wrongField(payload []byte) (wrong *protocols.Reason) {
	decoder := json.NewDecoder(bytes.NewReader(payload))
	if token, err := decoder.Token(); err != nil || token != json.Delim('{') {
		return nil
	}
	var seen []string
	for decoder.More() {
		token, err := decoder.Token()
		name, isName := token.(string)
		var value json.RawMessage
		if err != nil || !isName || decoder.Decode(&value) != nil {
			return nil
		}
		switch known := slices.Contains([]string{"online", "battery", "firmware"}, name); {
		case wrong != nil:
		case !known:
			wrong = &protocols.Reason{Code: protocols.UnknownField, Path: strings.ToValidUTF8(name[:min(len(name), MaxFirmware)], ""), Message: "no status has this field"}
		case slices.Contains(seen, name):
			wrong = &protocols.Reason{Code: protocols.Malformed, Path: name, Message: "this field is given twice"}
		default:
			seen = append(seen, name)
		}
	}
	return wrong
}

func checkStatus(payload *statusPayload) (reasons []protocols.Reason) {
	if payload.Online == nil {
		reasons = append(reasons, protocols.Reason{Code: protocols.MissingValue, Path: "online", Message: "this field is required"})
	}
	if payload.Battery != nil && (*payload.Battery < 0 || *payload.Battery > 100) {
		reasons = append(reasons, protocols.Reason{Code: protocols.Implausible, Path: "battery", Message: "a battery holds 0 to 100 per cent"})
	}
	if len(payload.Firmware) > MaxFirmware {
		reasons = append(reasons, protocols.Reason{Code: protocols.Malformed, Path: "firmware", Message: "a version has at most 128 characters"})
	}
	return reasons
}
