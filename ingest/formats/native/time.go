package native

import "time"

// timeKind is what parseTime has found.
type timeKind uint8

const (
	badTime timeKind = iota
	zonelessTime
	dayAlone
	fullTime
)

// parseTime reads a time of RFC 3339, whose offset is required, or a day alone,
// for which it returns noon in UTC. It is written by hand because time.Parse
// takes three times as long and cannot tell a missing offset from a bad time.
func parseTime(text []byte) (time.Time, timeKind) {
	p := clock{text: text, good: true}
	year := p.number(4)
	p.mark('-')
	month := p.number(2)
	p.mark('-')
	day := p.number(2)
	if !p.good || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) {
		return time.Time{}, badTime
	}
	if p.at == len(text) {
		return time.Date(year, time.Month(month), day, 12, 0, 0, 0, time.UTC), dayAlone
	}
	p.letter('T')
	hour := p.number(2)
	p.mark(':')
	minute := p.number(2)
	p.mark(':')
	second := p.number(2)
	nanos := p.fraction()
	if !p.good || hour > 23 || minute > 59 || second > 60 {
		return time.Time{}, badTime
	}
	if p.at == len(text) {
		return time.Time{}, zonelessTime
	}
	offset := p.offset()
	if !p.good || p.at != len(text) {
		return time.Time{}, badTime
	}
	if second == 60 && !leapSecond(hour, minute, offset) {
		return time.Time{}, badTime
	}
	return time.Date(year, time.Month(month), day, hour, minute, second-offset, nanos, time.UTC), fullTime
}

// leapSecond reports whether a second 60 can be: at the end of a day in UTC. It is
// then the first second of the next day, as clocks without leap seconds have it.
func leapSecond(hour, minute, offset int) bool {
	const day = 24 * 60
	inUTC := hour*60 + minute - offset/60
	return (inUTC+2*day)%day == day-1
}

// clock reads the parts of a time. The first that does not fit makes it bad.
type clock struct {
	text []byte
	at   int
	good bool
}

func (p *clock) peek() byte {
	if p.at < len(p.text) {
		return p.text[p.at]
	}
	return 0
}

func (p *clock) mark(c byte) {
	if p.peek() != c {
		p.good = false
	}
	p.at++
}

// letter reads a letter in upper or lower case.
func (p *clock) letter(upper byte) {
	if c := p.peek(); c != upper && c != upper+'a'-'A' {
		p.good = false
	}
	p.at++
}

func (p *clock) number(digits int) int {
	n := 0
	for range digits {
		c := p.peek() - '0'
		if c > 9 {
			p.good = false
		}
		n = n*10 + int(c)
		p.at++
	}
	return n
}

// fraction reads up to nine decimals of a second: what a Time can hold.
func (p *clock) fraction() (nanos int) {
	if p.peek() != '.' {
		return 0
	}
	p.at++
	scale := 1_000_000_000
	for p.peek()-'0' <= 9 {
		scale /= 10
		nanos += int(p.peek()-'0') * scale
		p.at++
		if scale == 0 {
			p.good = false
		}
	}
	if scale == 1_000_000_000 {
		p.good = false
	}
	return nanos
}

// offset reads "Z" or "+01:00", in seconds.
func (p *clock) offset() int {
	sign := p.peek()
	p.at++
	if sign == 'Z' || sign == 'z' {
		return 0
	}
	hours := p.number(2)
	p.mark(':')
	minutes := p.number(2)
	if (sign != '+' && sign != '-') || hours > 23 || minutes > 59 {
		p.good = false
	}
	seconds := hours*3600 + minutes*60
	if sign == '-' {
		return -seconds
	}
	return seconds
}

func daysIn(year, month int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}
