// Verify checks an export bundle offline, with nothing but the bundle and public keys:
//
//	verify <bundle.tar> --key <verifier key>... [--witness <verifier key>...]
//
// The format, the findings and the exit codes are described in docs/bundle-format.md. A bundle of "-" is read from
// standard input.
package main

import (
	"bufio"
	"fmt"
	"io"
	"os"

	"golang.org/x/mod/sumdb/note"
)

const (
	exitSound     = 0
	exitFindings  = 1
	exitUsage     = 2
	exitUnchecked = 3
)

func main() {
	// An error of this program must never look like a finding.
	defer func() {
		if problem := recover(); problem != nil {
			fmt.Fprintln(os.Stderr, "could not be checked:", problem)
			os.Exit(exitUnchecked)
		}
	}()
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

func run(args []string, out, errors io.Writer) int {
	path, keys, witnesses, err := parseArguments(args)
	if err != nil {
		fmt.Fprintln(errors, err)
		fmt.Fprintln(errors, "usage: verify <bundle.tar> --key <verifier key>... [--witness <verifier key>...]")
		return exitUsage
	}
	source := os.Stdin
	if path != "-" {
		if source, err = os.Open(path); err != nil {
			fmt.Fprintln(errors, "could not be checked:", err)
			return exitUnchecked
		}
		defer source.Close()
	}
	report, err := verifyBundle(bufio.NewReaderSize(source, 1<<16), keys, witnesses)
	if err != nil {
		fmt.Fprintln(errors, "could not be checked:", err)
		return exitUnchecked
	}
	return report.print(out, errors)
}

func parseArguments(args []string) (path string, keys, witnesses []note.Verifier, err error) {
	seen := map[string]bool{}
	for i := 0; i < len(args); i++ {
		switch arg := args[i]; {
		case arg == "--key" || arg == "--witness":
			i++
			if i == len(args) {
				return "", nil, nil, fmt.Errorf("%s needs a verifier key", arg)
			}
			if seen[arg+args[i]] {
				continue
			}
			seen[arg+args[i]] = true
			verifier, err := parseKey(args[i], arg == "--witness")
			if err != nil {
				return "", nil, nil, fmt.Errorf("%s %s: %w", arg, args[i], err)
			}
			if arg == "--witness" {
				witnesses = append(witnesses, verifier)
			} else {
				keys = append(keys, verifier)
			}
		case path == "" && (arg == "-" || len(arg) > 0 && arg[0] != '-'):
			path = arg
		default:
			return "", nil, nil, fmt.Errorf("unexpected %q", arg)
		}
	}
	if path == "" || len(keys) == 0 {
		return "", nil, nil, fmt.Errorf("a bundle and at least one key are needed")
	}
	return path, keys, witnesses, nil
}

func parseKey(text string, witness bool) (note.Verifier, error) {
	if witness {
		return newCosignatureVerifier(text)
	}
	return note.NewVerifier(text)
}
