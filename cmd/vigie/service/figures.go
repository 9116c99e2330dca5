package service

import (
	"context"
	"slices"
	"strconv"
	"time"

	"vigie/cmd/edition"
)

// openFigures publishes what the doors and the forwarder count of themselves.
func (s *Service) openFigures(context.Context) error {
	s.Metrics.Read("vigie_queue_readings", "Readings that wait to be committed.", func() float64 { return float64(s.pipeline.Waiting()) })
	s.Metrics.Read("vigie_store_damaged_rows", "Damaged rows that the store has met since the start, and left out.", func() float64 { return float64(s.damaged()) })
	for _, sweep := range s.sweeps() {
		s.labelled("vigie_sweep_failing", "1 while a sweep fails.", "sweep", sweep.name, func() bool { return slices.Contains(s.faults.failing(0), sweep.name) })
	}
	for _, work := range []string{sweepsWork, influxWork} {
		s.labelled("vigie_leads", "1 while this node does a work for all.", "work", work, func() bool { return s.leads.has(work) })
	}
	for name, file := range map[string]string{"http": s.Config.HTTP.CertFile, "broker": s.Config.Broker.Inside.CertFile} {
		if file != "" {
			s.Metrics.Read("vigie_certificate_until_seconds", "When a certificate ends, in seconds since 1970.", func() float64 {
				until, err := certificateUntil(file)
				if err != nil {
					return 0
				}
				return float64(until.Unix())
			}, "listener", name)
		}
	}
	this := edition.Current()
	s.Metrics.Read("vigie_build_info", "Which Vigie this is; always 1.", func() float64 { return 1 },
		"commit", this.Commit, "go", this.Go, "modified", strconv.FormatBool(this.Modified), "system", this.System, "version", this.Version)
	if door := s.doors.inside.Load(); door != nil {
		s.Metrics.Read("vigie_inside_connections", "Devices connected to the broker inside.", func() float64 { return float64(door.Figures().Connections) })
		s.Metrics.Read("vigie_inside_messages_total", "Messages received by the broker inside.", func() float64 { return float64(door.Figures().Received) })
		s.Metrics.Read("vigie_inside_messages_failed_total", "Messages that could not be committed; their devices send them again.", func() float64 { return float64(door.Figures().Failed) })
		s.Metrics.Read("vigie_inside_connections_refused_total", "Connections turned away.", func() float64 { return float64(door.Figures().Refused) })
		s.Metrics.Read("vigie_inside_faults_total", "Packets that the broker library could not bear; each ended its connection.", func() float64 { return float64(door.Figures().Faults) })
		s.Metrics.Read("vigie_inside_receipts_lost_total", "Receipts that a device did not read in time.", func() float64 { return float64(door.Figures().ReceiptsLost) })
	}
	if door := s.doors.outside.Load(); door != nil {
		s.Metrics.Read("vigie_outside_messages_total", "Messages received from the broker outside.", func() float64 { return float64(door.Figures().Received) })
		s.Metrics.Read("vigie_outside_messages_failed_total", "Messages that could not be committed; the broker sends them again.", func() float64 { return float64(door.Figures().Failed) })
		s.Metrics.Read("vigie_outside_reconnects_total", "Times the connection to the broker outside was made again.", func() float64 { return float64(door.Figures().Reconnects) })
		s.Metrics.Read("vigie_outside_sessions_forgotten_total", "Times the broker outside had forgotten a session, and with it messages that it had acknowledged.", func() float64 { return float64(door.Figures().Forgotten) })
		s.Metrics.Read("vigie_outside_members_missing", "Sessions of the shared group whose node is gone, as the node that leads sees them.", func() float64 { return float64(len(s.members.list())) })
		s.Metrics.Read("vigie_outside_canary_age_seconds", "Since a message of our own last came back from the broker outside; -1 before the first.", func() float64 {
			if back := door.CanaryBack(); !back.IsZero() {
				return time.Since(back).Seconds()
			}
			return -1
		})
		s.Metrics.Read("vigie_outside_messages_in_flight", "Messages received from the broker outside and not done with.", func() float64 { return float64(door.Figures().InFlight) })
	}
	if forwarder := s.forwarder; forwarder != nil {
		s.Metrics.Read("vigie_influx_points_total", "Readings taken by InfluxDB.", func() float64 { return float64(forwarder.Figures().Sent) })
		s.Metrics.Read("vigie_influx_alert_events_total", "Events of alerts taken by InfluxDB.", func() float64 { return float64(forwarder.Figures().Alerts) })
		s.Metrics.Read("vigie_influx_refused_total", "Points that InfluxDB refused, set aside.", func() float64 { return float64(forwarder.Figures().Refused) })
		s.Metrics.Read("vigie_influx_retries_total", "Failed requests to InfluxDB that were tried again.", func() float64 { return float64(forwarder.Figures().Retries) })
		s.Metrics.Read("vigie_influx_differing_readings", "Old readings that InfluxDB does not hold as the store does, and that therefore stay.", func() float64 { return float64(s.differing.Load()) })
		s.Metrics.Read("vigie_influx_lag_seconds", "Age of the oldest reading that waits for InfluxDB.", func() float64 { return age(s.Now(), forwarder.Figures().Oldest).Seconds() })
	}
	return nil
}

// age is how long ago t was; 0 for the zero time.
func age(now, t time.Time) time.Duration {
	if t.IsZero() {
		return 0
	}
	return max(0, now.Sub(t))
}

// labelled is a gauge of one label that is 1 or 0.
func (s *Service) labelled(name, help, label, value string, is func() bool) {
	s.Metrics.Read(name, help, func() float64 {
		if is() {
			return 1
		}
		return 0
	}, label, value)
}
