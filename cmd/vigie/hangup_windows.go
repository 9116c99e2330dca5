package main

import (
	"context"
	"os"
)

// hangups are the requests to read the configuration again; Windows has none.
func hangups() (<-chan os.Signal, func()) { return nil, func() {} }

// withTerminal is a context that ends with the terminal of the program, which Windows
// tells as an interrupt.
func withTerminal(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithCancel(ctx)
}
