package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strings"
)

const maxFindings = 100

// A place in a bundle. Ordinal and revision are -1, line is 0, texts are empty where they do not apply.
type place struct {
	file     string
	line     int64
	ordinal  int64
	stream   string
	revision int64
}

type finding struct {
	code   string
	at     place
	detail string
}

type report struct {
	findings  []finding
	more      int
	unchecked []string
	events    int64
	streams   int
}

func inFile(name string) place { return place{file: name, ordinal: -1, revision: -1} }

func onLine(line, ordinal int64) place { return place{line: line, ordinal: ordinal, revision: -1} }

func (r *report) add(code string, at place, detail string) {
	if len(r.findings) < maxFindings {
		r.findings = append(r.findings, finding{code, at, detail})
	} else {
		r.more++
	}
}

func (r *report) has(code string) bool {
	for _, f := range r.findings {
		if f.code == code {
			return true
		}
	}
	return false
}

func (r *report) print(out, errors io.Writer) int {
	for _, f := range r.findings {
		fmt.Fprintf(out, "%s%s: %s\n", f.code, f.at, f.detail)
	}
	if r.more > 0 {
		fmt.Fprintf(out, "and %d more\n", r.more)
	}
	for _, sentence := range r.unchecked {
		fmt.Fprintln(errors, "not checked:", sentence)
	}
	switch {
	case len(r.findings) > 0:
		return exitFindings
	case len(r.unchecked) > 0:
		return exitUnchecked
	}
	fmt.Fprintf(out, "all is well: %d events of %d streams\n", r.events, r.streams)
	return exitSound
}

func (p place) String() string {
	var text strings.Builder
	if p.file != "" {
		text.WriteString(" file=" + quoted(p.file))
	}
	if p.line > 0 {
		fmt.Fprintf(&text, " line=%d", p.line)
	}
	if p.ordinal >= 0 {
		fmt.Fprintf(&text, " ordinal=%d", p.ordinal)
	}
	if p.revision >= 0 {
		fmt.Fprintf(&text, " stream=%s revision=%d", quoted(p.stream), p.revision)
	}
	return text.String()
}

var (
	plain       = regexp.MustCompile(`^[\w.:/|-]+$`)
	unprintable = regexp.MustCompile(`[^\x20-\x7e]`)
)

// quoted makes a text from a bundle harmless for a terminal.
func quoted(text string) string {
	if plain.MatchString(text) {
		return text
	}
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(text)
	return unprintable.ReplaceAllString(strings.TrimSuffix(buffer.String(), "\n"), "?")
}
