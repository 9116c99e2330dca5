package trail

import (
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"vigie/protocols"
)

// Report is what Verify found.
type Report struct {
	Chains []ChainReport `json:"chains"`
	Faults []Fault       `json:"faults,omitempty"` // none when nothing was touched
	Notes  []Fault       `json:"notes,omitempty"`  // gaps that the trail itself says
}

// ChainReport is one chain.
type ChainReport struct {
	Head
	Node    string    `json:"node"`
	Entries int64     `json:"entries"`
	From    time.Time `json:"from"`
	To      time.Time `json:"to"`
}

// FaultKind is what is wrong.
type FaultKind string

// The kinds of faults.
const (
	Gap       FaultKind = "gap"       // an entry is missing
	Changed   FaultKind = "changed"   // an entry is not as it was written
	CutTail   FaultKind = "cut-tail"  // the end of a chain is missing
	BadKey    FaultKind = "bad-key"   // a chain is not of the key that its name says
	Unsigned  FaultKind = "unsigned"  // the end of a chain is not signed by its node
	Unwritten FaultKind = "unwritten" // entries that could not be written, as the trail says
	Erased    FaultKind = "erased"    // what the erasure of a patient took out, as the trail says
)

// Fault is one thing that is wrong, and where.
type Fault struct {
	Kind  FaultKind      `json:"kind"`
	Chain string         `json:"chain"`
	Seq   int64          `json:"seq"`
	Text  protocols.Text `json:"text"`
}

// Source gives chains: a store, or an export.
type Source interface {
	Heads(ctx context.Context) ([]Row, error)
	Rows(ctx context.Context, chain string, after int64, limit int) ([]Row, error)
}

// Verify reads every chain. seen are heads that were known before: the mark of this
// node, and what somebody wrote down. A fault is no error.
func Verify(ctx context.Context, source Source, seen ...Head) (Report, error) {
	heads, err := source.Heads(ctx)
	if err != nil {
		return Report{}, fmt.Errorf("list the chains of the trail: %w", err)
	}
	v := verifier{seen: slices.Clone(seen)}
	for _, head := range heads {
		if err := v.chain(ctx, source, head.Chain); err != nil {
			return Report{}, err
		}
	}
	// Ties name heads of chains that come before and after their own.
	if err := v.held(ctx, source); err != nil {
		return Report{}, err
	}
	v.erased()
	return v.report, nil
}

type verifier struct {
	report  Report
	seen    []Head                 // heads that the chains have to lead through
	missing map[string][]Redaction // by the number of the erasure that they are missing for
	removed []Removed              // as the chains say
}

func textOf(fr, en string) protocols.Text { return protocols.Text{FR: fr, EN: en} }

const atATime = 1000

func (v *verifier) fault(kind FaultKind, chain string, seq int64, fr, en string) {
	v.report.Faults = append(v.report.Faults, Fault{kind, chain, seq, protocols.Text{FR: fr, EN: en}})
}

// chain follows one chain from its first entry.
func (v *verifier) chain(ctx context.Context, source Source, name string) error {
	report := ChainReport{Head: Head{Chain: name}}
	var key ed25519.PublicKey
	var signature string
	for {
		rows, err := source.Rows(ctx, name, report.Seq, atATime)
		if err != nil {
			return fmt.Errorf("read chain %s of the trail: %w", name, err)
		}
		for i := range rows {
			row := &rows[i]
			if row.Seq != report.Seq+1 {
				v.fault(Gap, name, report.Seq+1,
					fmt.Sprintf("Les entrées %d à %d manquent.", report.Seq+1, row.Seq-1), fmt.Sprintf("Entries %d to %d are missing.", report.Seq+1, row.Seq-1))
			} else if row.Hash != hashOf(report.Hash, row.Body) && !v.redacted(row) {
				v.fault(Changed, name, row.Seq, fmt.Sprintf("L'entrée %d n'est pas telle qu'elle a été écrite.", row.Seq), fmt.Sprintf("Entry %d is not as it was written.", row.Seq))
			}
			entry, ok := v.entry(row)
			if row.Seq == 1 && ok {
				if key = keyOf(entry); key == nil {
					v.fault(BadKey, name, 1, "La chaîne ne commence pas par la clé que dit son nom.", "The chain does not begin with the key that its name says.")
				}
				report.Node, report.From = entry.Node, row.At
			}
			if row.Signature != "" && !right(key, Head{name, row.Seq, row.Hash}, row.Signature) {
				v.fault(BadKey, name, row.Seq, fmt.Sprintf("La signature de l'entrée %d n'est pas celle de son nœud.", row.Seq), fmt.Sprintf("The signature of entry %d is not that of its node.", row.Seq))
			}
			report.Seq, report.Hash, report.To, signature = row.Seq, row.Hash, row.At, row.Signature
			report.Entries++
		}
		if len(rows) < atATime {
			break
		}
	}
	if signature == "" {
		v.fault(Unsigned, name, report.Seq, "La fin de la chaîne n'est pas signée : elle a été coupée.", "The end of the chain is not signed: it was cut.")
	}
	v.report.Chains = append(v.report.Chains, report)
	return nil
}

// redacted reports whether a row says that an erasure took out what it said. The hash of
// what it was stays, and so does the chain.
func (v *verifier) redacted(row *Row) bool {
	entry, err := row.Entry()
	if err != nil || entry.Erased == "" {
		return false
	}
	v.gone(row, -1, entry.Erased, row.Hash)
	return true
}

// entry reads a row and compares it with its columns and with what stands beside.
func (v *verifier) entry(row *Row) (Entry, bool) {
	entry, err := row.Entry()
	same := err == nil && entry.Chain == row.Chain && entry.Seq == row.Seq && entry.At.Equal(row.At) && entry.Account == row.Account
	same = same && len(entry.Sealed) == len(row.Beside)
	for i := 0; same && i < len(row.Beside); i++ {
		if d := row.Beside[i]; d.Part == OfErased {
			v.gone(row, i, d.Text, entry.Sealed[i])
		} else {
			same = entry.Sealed[i] == d.digest()
		}
	}
	if !same {
		v.fault(Changed, row.Chain, row.Seq, fmt.Sprintf("Ce que dit l'entrée %d, ou de qui, a été changé.", row.Seq), fmt.Sprintf("What entry %d says, or of whom, was changed.", row.Seq))
		return entry, false
	}
	if entry.Removed != nil {
		v.removed = append(v.removed, *entry.Removed)
	}
	switch entry.Kind {
	case Ties:
		v.seen = append(v.seen, entry.Heads...)
	case Cut:
		for _, h := range entry.Heads {
			v.fault(CutTail, h.Chain, h.Seq,
				fmt.Sprintf("Au démarrage du %s, la chaîne finissait avant l'entrée %d : base restaurée d'une sauvegarde, ou coupée.", row.At.Format(time.RFC3339), h.Seq),
				fmt.Sprintf("At the start of %s the chain ended before entry %d: the store was restored from a backup, or cut.", row.At.Format(time.RFC3339), h.Seq))
		}
	case Lost:
		v.report.Notes = append(v.report.Notes, Fault{Unwritten, row.Chain, row.Seq, protocols.Text{
			FR: fmt.Sprintf("%d accès du %s au %s n'ont pas pu être tracés.", entry.Missed, entry.Since.Format(time.RFC3339), row.At.Format(time.RFC3339)),
			EN: fmt.Sprintf("%d accesses from %s to %s could not be traced.", entry.Missed, entry.Since.Format(time.RFC3339), row.At.Format(time.RFC3339))}})
	}
	return entry, true
}

// keyOf is the key of a chain, nil unless its name is that key's.
func keyOf(first Entry) ed25519.PublicKey {
	key, err := hex.DecodeString(first.Key)
	whose, _ := chainParts(first.Chain)
	if err != nil || len(key) != ed25519.PublicKeySize || fingerprint(key) != whose {
		return nil
	}
	return key
}

func right(key ed25519.PublicKey, head Head, signature string) bool {
	sum, err := hex.DecodeString(signature)
	return err == nil && key != nil && ed25519.Verify(key, signed(head), sum)
}

// held holds the chains against the heads that were seen.
func (v *verifier) held(ctx context.Context, source Source) error {
	told := map[Head]bool{}
	for _, h := range v.seen {
		if told[h] {
			continue
		}
		told[h] = true
		rows, err := source.Rows(ctx, h.Chain, h.Seq-1, 1)
		if err != nil {
			return fmt.Errorf("read chain %s of the trail: %w", h.Chain, err)
		}
		switch {
		case len(rows) == 0:
			v.fault(CutTail, h.Chain, h.Seq,
				fmt.Sprintf("La chaîne a eu une entrée %d, qui manque avec ce qui la suivait.", h.Seq), fmt.Sprintf("The chain had an entry %d, which is missing with what came behind it.", h.Seq))
		case rows[0].Seq == h.Seq && rows[0].Hash != h.Hash:
			v.fault(Changed, h.Chain, h.Seq,
				fmt.Sprintf("L'entrée %d n'est pas celle qui avait été vue.", h.Seq), fmt.Sprintf("Entry %d is not the one that was seen before.", h.Seq))
		}
	}
	return nil
}
