package gatt

import (
	"math"
	"slices"
	"time"

	"vigie/ingest/formats/values"
	"vigie/protocols"
)

// frame is what a characteristic says.
type frame struct {
	measure  string
	specimen string
	given    []values.Given
	units    []values.Unit
	flags    []string
	wall     time.Time     // of the device's clock
	clocked  bool          // there is a time
	unset    bool          // the device says that its clock is not set, or writes no such time
	since    time.Duration // after the start of the session, where that is how the time is told
	session  bool          // it is
	sequence uint32        // by which a context is found
	numbered bool          // there is one
	user     int           // of several who share the device; −1 where it does not say
	wrong    string        // why there is no measurement
}

func (f *frame) value(component string, number float64, unit string) {
	f.given = append(f.given, values.Given{Name: []byte(component), Number: number})
	f.units = append(f.units, values.Unit{Component: []byte(component), Unit: []byte(unit)})
}

func (f *frame) time(c *cursor, present bool) {
	if !present {
		return
	}
	var ok bool
	f.wall, ok = c.clock()
	f.clocked, f.unset = true, f.unset || !ok
}

// userOf reads a User ID; 0xFF stands for a person who is not known.
func (f *frame) userOf(c *cursor, present bool) {
	if present {
		f.user = int(c.take(1))
	}
}

// mark adds the flag of each bit that is set.
func (f *frame) mark(bits uint32, words map[uint]string) {
	for bit := range uint(32) {
		if word := words[bit]; word != "" && bits>>bit&1 == 1 {
			f.flag(word)
		}
	}
}

func (f *frame) flag(word string) {
	if !slices.Contains(f.flags, word) {
		f.flags = append(f.flags, word)
	}
}

// beyond has the value be below or above what the device can process. Whatever number it
// tells with that, the truth is beyond it.
func (f *frame) beyond(below, above bool) {
	switch {
	case !below && !above:
	case below && above:
		f.wrong = "the result is told to be both below and above what the device can process"
	case len(f.given) == 0 || math.IsNaN(f.given[0].Number):
		f.wrong = "the result is above or below what the device can process, and it does not say what that is"
	case below:
		f.given[0].Limit = protocols.LessThan
	default:
		f.given[0].Limit = protocols.MoreThan
	}
}

// choose is one of two units, by a bit.
func choose(second bool, one, other string) string {
	if second {
		return other
	}
	return one
}

// characteristics reads a value by the number of its characteristic. Source of each
// layout: Bluetooth SIG, GATT Specification Supplement 11, section of that name.
var characteristics = map[string]func(*cursor) frame{
	"2A35": bloodPressure,
	"2A9D": weight,
	"2A1C": temperature,
	"2A5E": spotCheck,
	"2A18": glucose,
	"2A37": heartRate,
	"2A5F": continuous,
	"2AA7": sensor,
}

// several are the characteristics that may hold several records, one behind another.
var several = map[string]bool{"2AA7": true}

// bloodPressure is Blood Pressure Measurement.
func bloodPressure(c *cursor) frame {
	f := frame{measure: "blood-pressure", user: -1}
	flags := c.take(1)
	unit := choose(flags&1 != 0, "mm[Hg]", "kPa")
	for _, component := range [...]string{"systolic", "diastolic", "mean"} {
		number := c.sfloat()
		if component == "mean" && math.IsNaN(number) {
			continue // many devices do not know the mean
		}
		f.value(component, number, unit)
	}
	f.time(c, flags&2 != 0)
	if flags&4 != 0 {
		f.value("pulse", c.sfloat(), "/min")
	}
	f.userOf(c, flags&8 != 0)
	if flags&16 != 0 {
		f.mark(c.take(2), map[uint]string{0: "motion", 1: "cuff-fit", 2: "irregular-pulse"})
	}
	return f
}

// weight is Weight Measurement: steps of 0.005 kg or 0.01 lb.
func weight(c *cursor) frame {
	f := frame{measure: "weight", user: -1}
	flags := c.take(1)
	raw := c.take(2)
	if raw == 0xffff {
		f.wrong = "the scale says that the weighing was not successful"
	}
	if flags&1 != 0 {
		f.value("value", float64(raw)/100, "[lb_av]")
	} else {
		f.value("value", float64(raw)/200, "kg")
	}
	f.time(c, flags&2 != 0)
	f.userOf(c, flags&4 != 0)
	if flags&8 != 0 {
		c.take(4) // body mass index and height
	}
	return f
}

// temperature is Temperature Measurement.
func temperature(c *cursor) frame {
	f := frame{measure: "temperature", user: -1}
	flags := c.take(1)
	f.value("value", c.float(), choose(flags&1 != 0, "Cel", "[degF]"))
	f.time(c, flags&2 != 0)
	if flags&4 != 0 {
		c.take(1) // where it was taken
	}
	return f
}

// invalid are the bits of the Measurement Status of an oximeter that say so: data for
// demonstration, data for testing, measurement unavailable, invalid.
const invalid = 1<<10 | 1<<11 | 1<<13 | 1<<15

// oximeterFlags are the bits of a Device and Sensor Status that are told.
var oximeterFlags = map[uint]string{1: "sensor-error", 5: "low-perfusion", 11: "poor-contact", 13: "poor-contact", 14: "sensor-error", 15: "sensor-error"}

// spotCheck is PLX Spot-Check Measurement.
func spotCheck(c *cursor) frame {
	f := frame{measure: "oxygen-saturation", user: -1}
	flags := c.take(1)
	f.value("value", c.sfloat(), "%")
	c.sfloat() // the pulse rate is a measure of its own, which the oximeter sends in 0x2A37
	f.time(c, flags&1 != 0)
	if flags&2 != 0 && c.take(2)&invalid != 0 {
		f.wrong = "the oximeter says that this is no valid measurement"
	}
	if flags&4 != 0 {
		f.mark(c.take(3), oximeterFlags)
	}
	if flags&8 != 0 {
		c.take(2) // pulse amplitude index
	}
	f.unset = f.unset || flags&16 != 0 && f.clocked
	return f
}

// continuous is PLX Continuous Measurement. It has no time. Beside the value that the
// oximeter shows, it may tell a faster and a slower one, which are not read.
func continuous(c *cursor) frame {
	f := frame{measure: "oxygen-saturation", user: -1}
	flags := c.take(1)
	f.value("value", c.sfloat(), "%")
	c.sfloat() // the pulse rate
	for bit := range 2 {
		if flags>>bit&1 != 0 {
			c.take(4)
		}
	}
	if flags&4 != 0 && c.take(2)&invalid != 0 {
		f.wrong = "the oximeter says that this is no valid measurement"
	}
	if flags&8 != 0 {
		f.mark(c.take(3), oximeterFlags)
	}
	if flags&16 != 0 {
		c.take(2) // pulse amplitude index
	}
	return f
}

// The bits of the Sensor Status Annunciation of a glucose sensor, by octet: the wrong kind
// of sensor, a malfunction, a fault of the device; a sensor too hot or too cold; a result
// below or above what the device can process.
const (
	sensorFault  = 1<<2 | 1<<3 | 1<<5
	sensorDegree = 1<<4 | 1<<5
	sensorBelow  = 1 << 6
	sensorAbove  = 1 << 7
)

// sensor is one record of CGM Measurement: mg/dL, and minutes since the session began. A
// CRC behind it was for the box, and is not looked at.
func sensor(c *cursor) frame {
	f := frame{measure: "glucose", specimen: "interstitial", session: true, user: -1}
	size, before := int(c.take(1)), len(c.rest)
	flags := c.take(1)
	f.value("value", c.sfloat(), "mg/dL")
	f.since = time.Duration(c.take(2)) * time.Minute
	if flags&0x80 != 0 && c.take(1)&sensorFault != 0 {
		f.flag("sensor-error")
	}
	if flags&0x40 != 0 && c.take(1)&sensorDegree != 0 {
		f.flag("sensor-error")
	}
	if flags&0x20 != 0 {
		warning := c.take(1)
		f.beyond(warning&sensorBelow != 0, warning&sensorAbove != 0)
	}
	for bit := range 2 { // trend and quality
		if flags>>bit&1 != 0 {
			c.take(2)
		}
	}
	switch size - 1 - (before - len(c.rest)) {
	case 0:
	case 2:
		c.take(2)
	default:
		c.short = true
	}
	return f
}

// The specimens of a Glucose Measurement that have a word here, by Type.
var specimens = map[uint32]string{1: "capillary", 2: "capillary", 9: "interstitial"}

// faulty are the bits of the Sensor Status of a meter for a fault of the sensor, the
// strip, the sample, the temperature or the device.
const faulty = 1<<1 | 1<<2 | 1<<3 | 1<<4 | 1<<7 | 1<<8 | 1<<9 | 1<<10

// glucose is Glucose Measurement: kg/L or mol/L, on the wall clock of its base time and
// offset.
func glucose(c *cursor) frame {
	f := frame{measure: "glucose", user: -1}
	flags := c.take(1)
	f.sequence, f.numbered = c.take(2), true
	f.time(c, true)
	if flags&1 != 0 {
		f.wall = f.wall.Add(time.Duration(int16(c.take(2))) * time.Minute)
	}
	if flags&2 != 0 {
		number := c.sfloat()
		if flags&4 != 0 {
			f.value("value", number*1000, "mmol/L")
		} else {
			f.value("value", number*100_000, "mg/dL")
		}
		kind := c.take(1)
		f.specimen = specimens[kind&0x0f]
		if kind&0x0f == 10 || kind>>4 == 4 {
			f.flag("control-solution")
		}
	} else {
		f.wrong = "there is no concentration in it"
	}
	if flags&8 != 0 {
		status := c.take(2)
		if status&faulty != 0 {
			f.flag("sensor-error")
		}
		f.unset = f.unset || status&(1<<11) != 0 // time fault
		f.beyond(status&(1<<6) != 0, status&(1<<5) != 0)
	}
	return f
}

// heartRate is Heart Rate Measurement. It has no time.
func heartRate(c *cursor) frame {
	f := frame{measure: "heart-rate", user: -1}
	flags := c.take(1)
	f.value("value", float64(c.take(1+int(flags&1))), "/min")
	if flags>>1&3 == 2 {
		f.flag("poor-contact")
	}
	if flags&8 != 0 {
		c.take(2) // energy
	}
	if flags&16 != 0 {
		c.short = c.short || len(c.rest)%2 != 0
		c.rest = nil // the intervals between beats, of two bytes each
	}
	return f
}
