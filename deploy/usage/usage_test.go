package usage

import (
	"errors"
	"os"
	"testing"
	"time"
)

func TestWorkTakesProcessorTime(t *testing.T) {
	before := Own()
	sum := 0
	for began := time.Now(); Own()-before < 30*time.Millisecond && time.Since(began) < time.Minute; {
		for i := range 1_000_000 {
			sum += i
		}
	}
	if spent := Own() - before; spent < 30*time.Millisecond || sum == 0 {
		t.Errorf("a minute of work took %v of processor time", spent)
	}
	other, err := Processor(os.Getpid())
	if errors.Is(err, ErrUnknown) {
		t.Skip(err)
	}
	// /proc counts in hundredths of a second.
	if own := Own(); err != nil || other > own+20*time.Millisecond || other < own-20*time.Millisecond {
		t.Errorf("the process is said to have taken %v from outside and %v from inside, %v", other, own, err)
	}
}

func TestMemoryThatIsTouchedIsHeld(t *testing.T) {
	before, err := Memory(os.Getpid())
	if errors.Is(err, ErrUnknown) {
		t.Skip(err)
	}
	const size = 32 << 20
	block := make([]byte, size)
	for i := range block {
		block[i] = 1
	}
	after, unread := Memory(os.Getpid())
	whole, untold := Resident(os.Getpid())
	if err := errors.Join(err, unread, untold); err != nil || after-before < size*3/4 || whole < after {
		t.Errorf("%d MiB before and %d MiB after touching %d (%d with files), %v", before>>20, after>>20, size>>20*int(block[0]), whole>>20, err)
	}
}
