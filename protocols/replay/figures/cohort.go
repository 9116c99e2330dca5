package figures

import (
	"cmp"
	"fmt"
	"html/template"
	"slices"
	"strings"
)

// mostPatients bounds the lines of the drawing of a cohort.
const mostPatients = 60

// cohortChart draws one line per patient with each of its alerts: the patients
// who ring most come first.
func (p *Page) cohortChart() picture {
	places := map[string]int{}
	var patients []string
	counts := map[string]int{}
	for i := range p.Outcome.Alerts {
		patient := p.Outcome.Alerts[i].Patient
		if counts[patient]++; counts[patient] == 1 {
			patients = append(patients, patient)
		}
	}
	slices.SortStableFunc(patients, func(a, b string) int { return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b)) })
	shown := patients[:min(len(patients), mostPatients)]
	for i, patient := range shown {
		places[patient] = i
	}
	const line = 17.0
	height := top + bottom + line*float64(len(shown))
	title := p.in().word("cohort")
	var b strings.Builder
	open(&b, "cohort", height, title, fmt.Sprintf(p.in().word("cohort-say"),
		len(patients), p.Outcome.Patients, len(shown)))
	p.drawDays(&b, height)
	for i, patient := range shown {
		y := top + line*(float64(i)+0.5)
		fmt.Fprintf(&b, `<line class="grid" x1="%g" x2="%g" y1="%.1f" y2="%.1f"/>`, left, canvasWidth-right, y, y)
		fmt.Fprintf(&b, `<text class="tick" x="%g" y="%.1f" text-anchor="end">%s</text>`, left-8, y+4, template.HTMLEscapeString(patient))
		fmt.Fprintf(&b, `<text class="tick" x="%g" y="%.1f">%d</text>`, canvasWidth-right+8, y+4, counts[patient])
	}
	titles := p.titles()
	for i := range p.Outcome.Alerts {
		a := &p.Outcome.Alerts[i]
		place, drawn := places[a.Patient]
		if !drawn {
			continue
		}
		fmt.Fprintf(&b, `<g class="alert %s"><title>%s — %s</title>%s</g>`, a.Level, template.HTMLEscapeString(p.moment(a.Time)),
			template.HTMLEscapeString(titles[a.Rule]), sign(a.Level, p.x(a.Time), top+line*(float64(place)+0.5)))
	}
	b.WriteString("</svg>")
	return picture{Title: title, SVG: template.HTML(b.String())}
}

// hoursChart draws the alerts by hour of the patient's day.
func hoursChart(in language, hours [24]int) template.HTML {
	const height, base = 150.0, 124.0
	most := max(1, slices.Max(hours[:]))
	width := (canvasWidth - 2*left) / 24
	var b strings.Builder
	open(&b, "hours", height, in.word("hours"), hoursInWords(in, hours))
	for hour, n := range hours {
		x := left + float64(hour)*width
		tall := float64(n) / float64(most) * (base - 22)
		fmt.Fprintf(&b, `<rect class="bar" x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="2"/>`, x+3, base-tall, width-6, tall)
		if n > 0 {
			fmt.Fprintf(&b, `<text class="tick" x="%.1f" y="%.1f" text-anchor="middle">%d</text>`, x+width/2, base-tall-5, n)
		}
		if hour%3 == 0 {
			fmt.Fprintf(&b, `<text class="tick" x="%.1f" y="%g" text-anchor="middle">%d h</text>`, x+width/2, base+18, hour)
		}
	}
	fmt.Fprintf(&b, `<line class="axis" x1="%g" x2="%g" y1="%g" y2="%g"/></svg>`, left, canvasWidth-left, base, base)
	return template.HTML(b.String())
}

func hoursInWords(in language, hours [24]int) string {
	var parts []string
	for hour, n := range hours {
		if n > 0 {
			parts = append(parts, fmt.Sprintf(in.word("hour"), hour, n))
		}
	}
	if len(parts) == 0 {
		return in.word("no-hours")
	}
	return strings.Join(parts, " ; ") + "."
}
