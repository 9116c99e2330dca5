package service

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"vigie/alerts/workspace"
	"vigie/cmd/vigie/config"
)

// Reload applies what a running service can take of a configuration: the tokens and
// what stands in the folders of protocols. Certificates and the password of the broker
// outside are read again by themselves when their files change.
func (s *Service) Reload(ctx context.Context, c config.Config) error {
	if err := s.SetTokens(c.HTTP.Tokens); err != nil {
		return err
	}
	fresh, err := readShelf(knownMeasures, c.Protocols.Folders)
	if err != nil {
		return fmt.Errorf("protocols.folders: %w", err)
	}
	if err := fresh.Recall(ctx, s.backend.registry); err != nil {
		return fmt.Errorf("protocols.folders: %w", err)
	}
	for _, added := range s.Shelf.replace(fresh) {
		s.Log.Info("a version of a protocol is there now", "protocol", added[0], "version", added[1])
	}
	return nil
}

// SetTokens lets in those who show one of these tokens, and nobody else: whoever came in
// with another one is out, open streams and sessions included.
func (s *Service) SetTokens(configured map[string]config.Secret) error {
	tokens, err := s.tokens(configured)
	if err != nil {
		return err
	}
	changed, err := s.workspace.SetTokens(tokens)
	if err != nil {
		return fmt.Errorf("http.tokens: %w", err)
	}
	if changed {
		s.Log.Info("other access tokens hold now", "names", names(tokens))
	}
	return nil
}

func names(tokens []workspace.Token) (list []string) {
	for _, t := range tokens {
		list = append(list, t.Name)
	}
	return list
}

// freshCertificate is a certificate that is read again when its files change, at the
// next connection. One that cannot be read leaves the former in force.
type freshCertificate struct {
	certFile, keyFile string
	log               *slog.Logger

	mu     sync.Mutex
	loaded *tls.Certificate
	of     [2]stamp // the files it was read from
	looked time.Time
}

// stamp tells one content of a file from another.
type stamp struct {
	changed time.Time
	size    int64
}

func newFreshCertificate(certFile, keyFile string, log *slog.Logger) (*freshCertificate, error) {
	f := &freshCertificate{certFile: certFile, keyFile: keyFile, log: log}
	f.of = f.stamps()
	loaded, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, fmt.Errorf("cert_file and key_file: %w", err)
	}
	f.loaded = &loaded
	return f, nil
}

func (f *freshCertificate) stamps() (now [2]stamp) {
	for i, name := range []string{f.certFile, f.keyFile} {
		if info, err := os.Stat(name); err == nil {
			now[i] = stamp{info.ModTime(), info.Size()}
		}
	}
	return now
}

// get is the certificate that holds now. It looks at the files once a second at most.
func (f *freshCertificate) get() *tls.Certificate {
	f.mu.Lock()
	defer f.mu.Unlock()
	if since := time.Since(f.looked); since >= 0 && since < everySecond {
		return f.loaded
	}
	f.looked = time.Now()
	now := f.stamps()
	if now == f.of {
		return f.loaded
	}
	f.of = now
	loaded, err := tls.LoadX509KeyPair(f.certFile, f.keyFile)
	if err != nil {
		f.log.Error("a certificate has changed and cannot be read: the former one stays in force", "file", f.certFile, "error", err)
		return f.loaded
	}
	f.log.Info("a certificate was read again", "file", f.certFile)
	f.loaded = &loaded
	return f.loaded
}
