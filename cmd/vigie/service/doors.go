package service

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"vigie/cmd/vigie/config"
	"vigie/ingest"
	"vigie/ingest/doors/inside"
	"vigie/ingest/doors/outside"
)

// doors are the ways in that are open. It is an ingest.Receipts: a receipt goes
// out by every door that the device may be at. A door may bring its first message
// before it is noted here, hence the atomic pointers.
type doors struct {
	inside  atomic.Pointer[inside.Door]
	outside atomic.Pointer[outside.Door]
}

// openDoors lets devices in, last of all.
func (s *Service) openDoors(ctx context.Context) error {
	if c := s.Config.Broker.Inside; c.Enabled {
		if err := s.openInside(c); err != nil {
			return fmt.Errorf("broker.inside: %w", err)
		}
	}
	if c := s.Config.Broker.Outside; c.URL != "" {
		if err := s.openOutside(ctx, c); err != nil {
			return fmt.Errorf("broker.outside: %w", err)
		}
	}
	return nil
}

func (s *Service) openInside(c config.Inside) error {
	listener, err := inside.Listen(c.Listen, s.NextPort)
	if err != nil {
		return fmt.Errorf("listen: %w; is another broker using it? Choose another port", err)
	}
	listener = inside.Behind(listener, c.Proxies.Prefixes())
	options := inside.Options{
		Listener: listener, Prefix: s.Config.Topics.Prefix, Authenticate: inside.Credentials(s.backend.registry), Useful: s.pipeline.Reasons, Offer: s.pipeline.Offer, Now: s.Now, Log: s.Log,
	}
	if options.TLS, err = s.serverTLS(c.CertFile, c.KeyFile); err != nil {
		return errors.Join(err, listener.Close())
	}
	door, err := inside.Open(options, s.pipeline.Submit)
	if err != nil {
		return err
	}
	s.doors.inside.Store(door)
	return nil
}

// recheckDevices holds whoever is connected to the broker inside against the registry,
// every second in which that has changed. Each node has devices of its own.
func (s *Service) recheckDevices(ctx context.Context) {
	door := s.doors.inside.Load()
	if door == nil {
		return
	}
	checked := int64(-1)
	recheck := func(ctx context.Context) error {
		version, err := s.backend.registry.RegistryVersion(ctx)
		if err != nil || version == checked {
			return err
		}
		if err := door.Recheck(ctx); err != nil {
			return err
		}
		checked = version
		return nil
	}
	wake := time.NewTicker(everySecond)
	defer wake.Stop()
	for {
		select {
		case <-wake.C:
			s.sweep(ctx, "devices", recheck)
		case <-ctx.Done():
			return
		}
	}
}

func (s *Service) openOutside(ctx context.Context, c config.Outside) error {
	security, err := s.clientTLS(c)
	if err != nil {
		return err
	}
	known, err := s.joinGroup(ctx, c, outside.Options{ClientID: c.ClientID, Connections: c.Sessions}.Sessions())
	if err != nil {
		return err
	}
	door, err := outside.Open(ctx, outside.Options{
		URL: c.URL, ClientID: c.ClientID, Group: c.SharedGroup, Connections: c.Sessions,
		// A session that another node has emptied is rightly forgotten.
		Remembered: min(known, rememberedSessions(s.Config.Data, c)),
		User:       c.User, Password: string(c.Password), PasswordFile: c.PasswordFile, TLS: security,
		Prefix: s.Config.Topics.Prefix, Gateways: filtersOf(s.gateways), NoReceipts: !c.Receipts, Now: s.Now, Log: s.Log,
		Opened: func() {
			if err := rememberSessions(s.Config.Data, c); err != nil {
				s.Log.Warn("should the broker forget this node while it is stopped, its next start will not notice", "error", err)
			}
		},
	}, s.pipeline.Submit)
	if err != nil {
		return err
	}
	s.doors.outside.Store(door)
	return nil
}

// serverTLS is how to be trusted by those who connect; nil for no encryption.
func (s *Service) serverTLS(certFile, keyFile string) (*tls.Config, error) {
	if certFile == "" {
		return nil, nil
	}
	fresh, err := newFreshCertificate(certFile, keyFile, s.Log)
	if err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return fresh.get(), nil },
	}, nil
}

// clientTLS is how to trust a broker and be trusted by it; nil for the system's
// authorities and no certificate.
func (s *Service) clientTLS(c config.Outside) (*tls.Config, error) {
	if c.CAFile == "" && c.CertFile == "" {
		return nil, nil
	}
	security := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.CAFile != "" {
		data, err := os.ReadFile(c.CAFile)
		if err != nil {
			return nil, fmt.Errorf("ca_file: %w", err)
		}
		security.RootCAs = x509.NewCertPool()
		if !security.RootCAs.AppendCertsFromPEM(data) {
			return nil, fmt.Errorf("ca_file: %s holds no certificate in PEM form", c.CAFile)
		}
	}
	if c.CertFile != "" {
		fresh, err := newFreshCertificate(c.CertFile, c.KeyFile, s.Log)
		if err != nil {
			return nil, err
		}
		security.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return fresh.get(), nil }
	}
	return security, nil
}

// Wanted is part of ingest.Receipts.
func (d *doors) Wanted(device string) bool {
	in, out := d.inside.Load(), d.outside.Load()
	return in != nil && in.Wanted(device) || out != nil && out.Wanted(device)
}

// Send is part of ingest.Receipts.
func (d *doors) Send(device string, receipts []ingest.Receipt) {
	if in := d.inside.Load(); in != nil && in.Wanted(device) {
		in.Send(device, receipts)
	}
	if out := d.outside.Load(); out != nil && out.Wanted(device) {
		out.Send(device, receipts)
	}
}

// ready returns a sentence when a door that should be open is not.
func (d *doors) ready() error {
	if out := d.outside.Load(); out != nil {
		return out.Ready()
	}
	return nil
}

// address is where devices find the broker inside; empty when it is closed.
func (d *doors) address() string {
	in := d.inside.Load()
	if in == nil {
		return ""
	}
	if in.Encrypted() {
		return "mqtts://" + in.Addr().String()
	}
	return "tcp://" + in.Addr().String()
}

// lastMessages is how long messages that were taken from a broker outside may
// take to be committed when the service stops; it sends the others again.
const lastMessages = 20 * time.Second

// stopDoors takes no more messages, and leaves the group of the broker outside. The
// pipeline commits what was taken.
func (s *Service) stopDoors() error {
	var failed []error
	if in := s.doors.inside.Load(); in != nil {
		failed = append(failed, in.Stop())
	}
	if out := s.doors.outside.Load(); out != nil {
		ctx, cancel := context.WithTimeout(context.Background(), lastMessages)
		defer cancel()
		failed = append(failed, s.leaveGroup(ctx, out), out.Close(ctx))
	}
	return errors.Join(failed...)
}

// close disconnects everybody, once what was taken is acknowledged.
func (d *doors) close() error {
	in := d.inside.Load()
	if in == nil {
		return nil
	}
	return in.Close()
}
