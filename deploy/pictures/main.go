// Command pictures takes the pictures of the guide: it starts the demonstration, waits
// until its story is under way, and writes PNG files of the worklist and of an alert.
//
//	go run ./deploy/pictures --to deploy/pictures
//
// It needs Debian's chromium.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // every program brings zones

	"github.com/chromedp/chromedp"
)

// started is the first line of the demonstration.
type started struct {
	Page   string `json:"page"`
	People []struct {
		Login    string `json:"login"`
		Password string `json:"password"`
	} `json:"people"`
}

// pictures are what is taken, in order: the page, or what is clicked on the one before.
var pictures = []struct {
	name, page, click string
	width, height     int64
}{
	{"worklist", "/", "", 1280, 800},
	{"alert", "", "#desk > li:nth-child(3) a.open", 1280, 900},
}

func main() {
	to := flag.String("to", ".", "folder for the pictures")
	vigie := flag.String("vigie", "", "the program; built from this tree when empty")
	after := flag.Duration("after", 12*time.Second, "how long the demonstration runs before the first picture")
	flag.Parse()
	if err := run(context.Background(), *to, *vigie, *after); err != nil {
		fmt.Fprintln(os.Stderr, "pictures:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, to, vigie string, after time.Duration) (err error) {
	if vigie == "" {
		folder, err := os.MkdirTemp("", "vigie-pictures-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(folder)
		vigie = filepath.Join(folder, "vigie.exe")
		if out, err := exec.CommandContext(ctx, "go", "build", "-o", vigie, "./cmd/vigie").CombinedOutput(); err != nil {
			return fmt.Errorf("build the program: %w\n%s", err, out)
		}
	}
	command := exec.CommandContext(ctx, vigie, "demo", "--json")
	command.Env = append(os.Environ(), "VIGIE_HTTP_LISTEN=127.0.0.1:0", "VIGIE_BROKER_INSIDE_LISTEN=127.0.0.1:0")
	command.Stderr = os.Stderr
	out, err := command.StdoutPipe()
	if err != nil {
		return err
	}
	if err := command.Start(); err != nil {
		return fmt.Errorf("start the demonstration: %w", err)
	}
	defer func() {
		err = errors.Join(err, command.Process.Signal(os.Interrupt))
		_ = command.Wait() // it was told to end
	}()
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		return errors.New("the demonstration said nothing")
	}
	var demo started
	if err := json.Unmarshal(lines.Bytes(), &demo); err != nil || len(demo.People) == 0 {
		return fmt.Errorf("read what the demonstration said: %w", err)
	}
	go func() {
		for lines.Scan() { // so that it is not held up
		}
	}()
	time.Sleep(after)
	return take(demo, to)
}

// take logs the first person in and takes the pictures.
func take(demo started, to string) error {
	options := append(chromedp.DefaultExecAllocatorOptions[:len(chromedp.DefaultExecAllocatorOptions):len(chromedp.DefaultExecAllocatorOptions)], chromedp.NoSandbox, chromedp.Flag("accept-lang", "fr"), chromedp.Flag("lang", "fr"))
	allocated, stop := chromedp.NewExecAllocator(context.Background(), options...)
	defer stop()
	ctx, cancel := chromedp.NewContext(allocated)
	defer cancel()
	login := fmt.Sprintf(`(() => { document.querySelector("[name=login]").value = %q; document.querySelector("[name=password]").value = %q; document.querySelector("main form").submit(); return "" })()`, demo.People[0].Login, demo.People[0].Password)
	if err := chromedp.Do(ctx, chromedp.Navigate(demo.Page+"/login")); err != nil {
		return err
	}
	if err := evaluate(ctx, login); err != nil {
		return err
	}
	if err := until(ctx, `document.querySelector("#desk > li") !== null`); err != nil {
		return fmt.Errorf("the worklist: %w", err)
	}
	for _, p := range pictures {
		steps := []chromedp.Action[chromedp.Void]{chromedp.EmulateViewport(p.width, p.height)}
		if p.page != "" {
			steps = append(steps, chromedp.Navigate(demo.Page+p.page))
		}
		if err := chromedp.Do(ctx, steps...); err != nil {
			return err
		}
		if p.click != "" {
			if err := evaluate(ctx, fmt.Sprintf("(document.querySelector(%q).click(), '')", p.click)); err != nil {
				return err
			}
			if err := until(ctx, `location.pathname.startsWith("/alerts/") && document.querySelector("#act") !== null`); err != nil {
				return fmt.Errorf("the alert: %w", err)
			}
		}
		time.Sleep(500 * time.Millisecond)
		picture, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
		if err != nil {
			return err
		}
		if picture, err = small(picture); err != nil {
			return err
		}
		name := filepath.Join(to, p.name+".png")
		if err := os.WriteFile(name, picture, 0o644); err != nil {
			return err
		}
		fmt.Println(name, len(picture)>>10, "KiB")
	}
	return nil
}

// small writes a picture anew with its 256 most frequent colours, which a page hardly has
// more of.
func small(picture []byte) ([]byte, error) {
	full, err := png.Decode(bytes.NewReader(picture))
	if err != nil {
		return nil, err
	}
	count := map[color.Color]int{}
	bounds := full.Bounds()
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			count[full.At(x, y)]++
		}
	}
	colours := slices.SortedFunc(maps.Keys(count), func(a, b color.Color) int { return count[b] - count[a] })
	paletted := image.NewPaletted(bounds, colours[:min(len(colours), 256)])
	draw.Draw(paletted, bounds, full, bounds.Min, draw.Src)
	var out bytes.Buffer
	err = (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, paletted)
	return out.Bytes(), err
}

func evaluate(ctx context.Context, expression string) error {
	_, err := chromedp.Run(ctx, chromedp.Evaluate[string](expression))
	return err
}

// until waits for an expression to be true.
func until(ctx context.Context, expression string) error {
	for range 200 {
		is, err := chromedp.Run(ctx, chromedp.Evaluate[bool](expression))
		if err == nil && is {
			return nil
		}
		if err != nil && !strings.Contains(err.Error(), "context") {
			time.Sleep(50 * time.Millisecond)
			continue
		}
		time.Sleep(50 * time.Millisecond)
	}
	return errors.New("it does not come")
}
