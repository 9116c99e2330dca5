package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"vigie/cmd/vigie/rehearsal"
	"vigie/protocols"
	"vigie/seeds/stories"
)

// rehearsing is what `simulator rehearse` was asked.
type rehearsing struct {
	postgres  string
	protocols []string
	language  string
	kill      bool
	verbose   bool
}

func rehearseCommand() *cobra.Command {
	var r rehearsing
	command := &cobra.Command{
		Use:   "rehearse FILE…",
		Short: "Joue une histoire sur tout le service, l'horloge avancée (play a story on the whole service)",
		Long: `Joue des histoires sur le service entier, horloge avancée : des appareils envoient,
des personnes agissent, des réglages changent, le service s'arrête et repart ; et
l'histoire dit qui devait être prévenu, et ce qui devait être sur la liste. Un mois
prend environ une seconde. seeds/stories/README.md apprend à en écrire une.

Play stories on the whole service, with its clock moved: devices send, people act,
settings change, the service stops and starts; and the story says who must have
been told what, and what must stand on the list. A month takes about a second.
seeds/stories/README.md teaches how to write one.`,
		Example: `  simulator rehearse seeds/stories/*.yaml
  simulator rehearse --verbose ma-garde.yaml
  simulator rehearse --protocols our-protocols our-story.yaml`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(command *cobra.Command, files []string) error {
			return r.run(command.Context(), command.OutOrStdout(), files)
		},
	}
	flags := command.Flags()
	flags.StringVar(&r.postgres, "postgres", "", "URL of a PostgreSQL database: each story gets a schema of its own there (default: the embedded store)")
	flags.StringArrayVar(&r.protocols, "protocols", nil, "folder of care protocols beside those that ship; may be repeated")
	flags.BoolVar(&r.kill, "kill", false, "kill the service, and start it again, at every moment at which it has something to do: the story must come out the same")
	flags.StringVar(&r.language, "language", "fr", "of what it says: fr or en")
	flags.BoolVar(&r.verbose, "verbose", false, "tell what happens, line by line")
	return command
}

// run plays every file, and fails when one of the stories does.
func (r *rehearsing) run(ctx context.Context, out io.Writer, files []string) error {
	failed := 0
	for _, file := range files {
		began := time.Now()
		result, title, err := r.play(ctx, out, file)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		verdict := "ok  "
		if err != nil || !result.Passed() {
			verdict = "FAIL"
			failed++
		}
		if _, err := fmt.Fprintf(out, "%s %s : %s (%.1f s)\n", verdict, file, title, time.Since(began).Seconds()); err != nil {
			return err
		}
		if err := r.report(out, file, &result, err); err != nil {
			return err
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d stories came otherwise than written", failed, len(files))
	}
	return nil
}

func (r *rehearsing) play(ctx context.Context, out io.Writer, file string) (result rehearsal.Result, title string, err error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return result, "", fmt.Errorf("read the story: %w", err)
	}
	story, problems := stories.Read(data)
	if story == nil {
		return rehearsal.Result{Problems: problems}, "", nil
	}
	options := rehearsal.Options{Protocols: r.protocols}
	if r.verbose {
		options.Chronicle = out
	}
	if r.kill {
		options.Kill = func() bool { return true }
	}
	if r.postgres != "" {
		own, remove, err := rehearsal.Schema(ctx, r.postgres)
		if err != nil {
			return result, "", err
		}
		defer func() { err = errors.Join(err, remove()) }()
		options.Postgres = own
	}
	result, err = rehearsal.Play(ctx, story, options)
	if err == nil && !r.verbose && !story.Expects() {
		err = errors.New(in(protocols.Say("cette histoire n'attend rien : rien n'a été montré (--verbose raconte ce qui se passe)", "this story expects nothing: nothing was shown (--verbose tells what happens)"), r.language))
	}
	return result, story.Title, err
}

// report writes what is wrong, each with its place, as compilers do.
func (r *rehearsing) report(out io.Writer, file string, result *rehearsal.Result, fault error) error {
	if fault != nil {
		if _, err := fmt.Fprintf(out, "%s: %v\n", file, fault); err != nil {
			return err
		}
	}
	for _, p := range result.Problems {
		if _, err := fmt.Fprintf(out, "%s:%d:%d: %s\n", file, p.Line, p.Column, in(p.Message, r.language)); err != nil {
			return err
		}
	}
	for i := range result.Differences {
		if _, err := io.WriteString(out, result.Differences[i].Text(file, r.language)); err != nil {
			return err
		}
	}
	return nil
}

// in is a text in a language, in the other where it has only that.
func in(text protocols.Text, language string) string {
	if language == "fr" && text.FR != "" {
		return text.FR
	}
	return text.In("en")
}
