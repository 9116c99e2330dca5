package recorded

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"vigie/ingest/formats/values"
	"vigie/protocols"
	"vigie/protocols/document"
)

// asTable returns a file that is no table as one: the export of Apple Health, a list of
// Nightscout's entries, the data of Tidepool. A table stays as it is.
func asTable(text []byte) ([]byte, error) {
	begin := bytes.TrimSpace(text[:min(len(text), 4096)])
	switch {
	case bytes.HasPrefix(begin, []byte("<")) && bytes.Contains(begin, []byte("HealthData")):
		return fromAppleHealth(text)
	case bytes.HasPrefix(begin, []byte("[")) && bytes.Contains(begin, []byte(`"dateString"`)):
		return fromNightscout(text)
	case bytes.HasPrefix(begin, []byte("[")) && bytes.Contains(begin, []byte(`"uploadId"`)):
		return fromTidepool(text)
	}
	return text, nil
}

// The columns of what is made of Apple Health: the time of a record, then one column a
// kind of record, named as Apple names it without its prefix.
const (
	appleSource = "https://developer.apple.com/documentation/healthkit/hkquantitytypeidentifier (export.xml declares its records in its own DTD)"
	appleTime   = "startDate"
	applePrefix = "HKQuantityTypeIdentifier"
)

// appleRecord is one record of the export.
type appleRecord struct {
	Type   string `xml:"type,attr"`
	Source string `xml:"sourceName,attr"`
	Unit   string `xml:"unit,attr"`
	Start  string `xml:"startDate,attr"`
	Value  string `xml:"value,attr"`
}

// fromAppleHealth makes a table of the records of an export.xml. Records of one source
// and moment share a row, so that the two numbers of a pressure stay together. Each cell
// holds its unit.
func fromAppleHealth(text []byte) ([]byte, error) {
	type place struct{ start, source string }
	rows, kinds := map[place]map[string]string{}, map[string]bool{}
	var order []place
	decoder := xml.NewDecoder(bytes.NewReader(text))
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("reading the export of Apple Health: %w", err)
		}
		element, begins := token.(xml.StartElement)
		if !begins || element.Name.Local != "Record" {
			continue
		}
		record := appleRecord{}
		for _, a := range element.Attr {
			switch a.Name.Local {
			case "type":
				record.Type = a.Value
			case "sourceName":
				record.Source = a.Value
			case "unit":
				record.Unit = a.Value
			case "startDate":
				record.Start = a.Value
			case "value":
				record.Value = a.Value
			}
		}
		kind, quantity := strings.CutPrefix(record.Type, applePrefix)
		if !quantity {
			continue
		}
		at := place{record.Start, record.Source}
		if rows[at] == nil {
			rows[at] = map[string]string{}
			order = append(order, at)
		}
		rows[at][kind], kinds[kind] = record.cell(), true
	}
	columns := slices.Sorted(maps.Keys(kinds))
	return inCSV(append([]string{appleTime}, columns...), func(write func([]string)) {
		for _, at := range order {
			row := []string{at.start}
			for _, kind := range columns {
				row = append(row, rows[at][kind])
			}
			write(row)
		}
	})
}

// cell is the value with its unit. Apple writes a percentage as a part of one: 0.97.
func (r *appleRecord) cell() string {
	unit, _, molar := strings.Cut(r.Unit, "<") // mmol<180.1558800000541>/L
	if molar {
		unit += "/L"
	}
	if part, err := strconv.ParseFloat(r.Value, 64); err == nil && unit == "%" && part <= 1 {
		return strconv.FormatFloat(part*100, 'g', 6, 64) + " %"
	}
	return r.Value + " " + unit
}

// The columns of what is made of Nightscout's entries. An sgv is in mg/dL, whatever the
// site shows.
const (
	nightscoutTime, nightscoutValue, nightscoutType = "date", "sgv (mg/dL)", "type"
)

// fromNightscout makes a table of a list of entries.
func fromNightscout(text []byte) ([]byte, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	if _, err := decoder.Token(); err != nil {
		return nil, fmt.Errorf("reading the entries of Nightscout: %w", err)
	}
	var failed error
	table, err := inCSV([]string{nightscoutTime, nightscoutValue, nightscoutType}, func(write func([]string)) {
		for decoder.More() {
			var entry struct {
				Type   string          `json:"type"`
				Device string          `json:"device"`
				Date   json.Number     `json:"date"`
				SGV    json.RawMessage `json:"sgv"`
			}
			var one json.RawMessage
			if failed = decoder.Decode(&one); failed != nil {
				return
			}
			if failed = document.ReadJSON(one, &entry, false); failed != nil {
				return
			}
			write([]string{entry.Date.String(), sgvCell(strings.Trim(string(entry.SGV), `"`), entry.Device), entry.Type})
		}
	})
	if failed != nil {
		return nil, fmt.Errorf("reading the entries of Nightscout: %w", failed)
	}
	return table, err
}

// sgvCell is a value of Nightscout as a cell of a table. What is no number stays as it is,
// and an error code of the sensor is told as one.
func sgvCell(text, device string) string {
	value, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return text
	}
	number, limit := values.SGV(value, device)
	switch {
	case limit == protocols.LessThan:
		return "<" + strconv.FormatFloat(number, 'f', -1, 64)
	case limit == protocols.MoreThan:
		return ">" + strconv.FormatFloat(number, 'f', -1, 64)
	case number != value:
		return "error " + text
	}
	return text
}

// The columns of what is made of Tidepool's data.
const (
	tidepoolTime, tidepoolValue, tidepoolType = "time", "tidepool value (mg/dL)", "type"
	// tidepoolMolar is by how much Tidepool multiplies mmol/L: it stores what a device
	// showed in mg/dL, divided by that number.
	tidepoolMolar = 18.01559
)

// tidepoolDatum is what is read of a datum.
type tidepoolDatum struct {
	Type        string          `json:"type"`
	Time        string          `json:"time"`
	Units       json.RawMessage `json:"units"` // an object where it is no value
	Value       json.RawMessage `json:"value"`
	Annotations []struct {
		Code      string          `json:"code"`
		Value     json.RawMessage `json:"value"`
		Threshold float64         `json:"threshold"` // in mg/dL, whatever the units
	} `json:"annotations"`
}

// fromTidepool makes a table of the glucose in a list of data: cbg of a sensor, smbg of a
// meter.
func fromTidepool(text []byte) ([]byte, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	if _, err := decoder.Token(); err != nil {
		return nil, fmt.Errorf("reading the data of Tidepool: %w", err)
	}
	var failed error
	table, err := inCSV([]string{tidepoolTime, tidepoolValue, tidepoolType}, func(write func([]string)) {
		for decoder.More() {
			var of struct {
				Type string `json:"type"`
			}
			var one json.RawMessage
			if failed = decoder.Decode(&one); failed != nil {
				return
			}
			if failed = document.ReadJSON(one, &of, false); failed != nil {
				return
			}
			if of.Type != "cbg" && of.Type != "smbg" {
				continue
			}
			var datum tidepoolDatum
			if failed = document.ReadJSON(one, &datum, false); failed != nil {
				return
			}
			write([]string{datum.Time, datum.cell(), datum.Type})
		}
	})
	if failed != nil {
		return nil, fmt.Errorf("reading the data of Tidepool: %w", failed)
	}
	return table, err
}

// cell is the value in mg/dL. A value with other units keeps them, and is refused for that.
func (d *tidepoolDatum) cell() string {
	value, units := strings.Trim(string(d.Value), `"`), strings.Trim(string(d.Units), `"`)
	for _, a := range d.Annotations {
		limit := map[string]string{"low": "<", "high": ">"}[strings.Trim(string(a.Value), `"`)]
		if a.Code == "bg/out-of-range" && limit != "" && a.Threshold > 0 {
			return limit + strconv.FormatFloat(a.Threshold, 'f', -1, 64)
		}
	}
	number, err := strconv.ParseFloat(value, 64)
	switch {
	case err == nil && units == "mmol/L":
		return strconv.FormatFloat(math.Round(number*tidepoolMolar*1000)/1000, 'f', -1, 64)
	case units == "mg/dL":
		return value
	}
	return value + " " + units
}

// inCSV is a table in CSV.
func inCSV(header []string, rows func(write func([]string))) ([]byte, error) {
	var text bytes.Buffer
	out := csv.NewWriter(&text)
	var failed error
	write := func(row []string) { failed = errors.Join(failed, out.Write(row)) }
	write(header)
	rows(write)
	out.Flush()
	if err := errors.Join(failed, out.Error()); err != nil {
		return nil, fmt.Errorf("writing the table: %w", err)
	}
	return text.Bytes(), nil
}
