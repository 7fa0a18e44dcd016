package main

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"unicode/utf8"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/note"
)

const (
	format             = "verbatim-bundle/1"
	maxManifestBytes   = 1 << 20
	maxSignatureBytes  = 1 << 16
	maxCheckpointBytes = 1 << 18
	maxFiles           = 100
	maxCount           = 1<<53 - 1
	blockBytes         = 512
)

type listedFile struct {
	name   string
	bytes  int64
	sha256 string
}

type manifest struct {
	origin                    string
	size                      int64
	root                      string
	events, streams           int64
	firstOrdinal, lastOrdinal *int64
	contiguous, fromStart     bool
	files                     []listedFile
}

type bundleCheck struct {
	report
	keys, witnesses []note.Verifier
	handled         int
	manifestBytes   []byte
	manifest        *manifest
	unreadable      bool
	events          *eventsCheck
}

// verifyBundle checks a bundle while it is read. An error is one of the source and says nothing about the bundle.
func verifyBundle(source io.Reader, keys, witnesses []note.Verifier) (*report, error) {
	check := &bundleCheck{keys: keys, witnesses: witnesses}
	check.events = &eventsCheck{report: &check.report, heads: map[string]head{}, first: -1, last: -1}
	counted := &countingReader{source: source}
	archive := tar.NewReader(counted)
	end := int64(0)
	for {
		header, err := archive.Next()
		if counted.failed != nil {
			return nil, counted.failed
		}
		if err == io.EOF {
			if sound, err := soundEnd(counted, end); err != nil {
				return nil, err
			} else if !sound {
				check.add("archive", inFile(""), "the archive does not end as it should")
				return &check.report, nil
			}
			break
		}
		if err != nil || header.Typeflag != tar.TypeReg || len(header.PAXRecords) > 0 || header.Size < 0 {
			check.add("archive", inFile(""), "this is not an archive of regular files with ustar headers")
			return &check.report, nil
		}
		end = counted.bytes + (header.Size+blockBytes-1)/blockBytes*blockBytes
		if err := check.handle(header, archive); err != nil {
			if counted.failed != nil {
				return nil, counted.failed
			}
			check.add("archive", inFile(header.Name), "the archive ends early")
		}
		if check.unreadable || check.has("archive") {
			return &check.report, nil
		}
	}
	check.finish()
	return &check.report, nil
}

// soundEnd tells whether two blocks of zeroes ended the archive and only zeroes follow.
func soundEnd(source *countingReader, end int64) (bool, error) {
	if source.bytes < end+2*blockBytes {
		return false, nil
	}
	buffer := make([]byte, 1<<16)
	for {
		n, err := source.Read(buffer)
		for _, b := range buffer[:n] {
			if b != 0 {
				return false, nil
			}
		}
		if err == io.EOF {
			return true, nil
		}
		if err != nil {
			return false, err
		}
	}
}

type countingReader struct {
	source io.Reader
	bytes  int64
	failed error
}

func (r *countingReader) Read(p []byte) (int, error) {
	n, err := r.source.Read(p)
	r.bytes += int64(n)
	if err != nil && err != io.EOF {
		r.failed = err
	}
	return n, err
}

func (c *bundleCheck) handle(header *tar.Header, content io.Reader) error {
	position := c.handled
	c.handled++
	switch {
	case position == 0:
		return c.readManifest(header, content)
	case position == 1:
		return c.readSignature(header, content)
	case position-2 >= len(c.manifest.files) || c.manifest.files[position-2].name != header.Name:
		c.add("file", inFile(header.Name), "the manifest does not list this file at this place")
		_, err := io.Copy(io.Discard, content)
		return err
	}
	listed := c.manifest.files[position-2]
	hash := sha256.New()
	counted := &countingReader{source: io.TeeReader(content, hash)}
	var err error
	switch header.Name {
	case "checkpoint":
		err = c.readCheckpoint(counted)
	case "events.ndjson":
		err = c.events.read(counted)
	default:
		_, err = io.Copy(io.Discard, counted)
	}
	if err != nil {
		return err
	}
	if counted.bytes != listed.bytes || hex.EncodeToString(hash.Sum(nil)) != listed.sha256 {
		c.add("digest", inFile(header.Name), "the file is not the one that the manifest lists")
	}
	return nil
}

func (c *bundleCheck) readManifest(header *tar.Header, content io.Reader) error {
	c.unreadable = true
	if header.Name != "manifest.json" || header.Size > maxManifestBytes {
		c.add("manifest", inFile(header.Name), "the bundle does not begin with a manifest of its form")
		return nil
	}
	text, err := io.ReadAll(content)
	if err != nil {
		return err
	}
	parsed, err := parseManifest(text)
	if errors.Is(err, errOtherFormat) {
		c.unchecked = append(c.unchecked, err.Error())
		return nil
	}
	if err != nil {
		c.add("manifest", inFile(header.Name), "the bundle does not begin with a manifest of its form")
		return nil
	}
	c.unreadable, c.manifestBytes, c.manifest = false, text, parsed
	c.events.contiguous, c.events.fromStart = parsed.contiguous, parsed.fromStart
	return nil
}

func (c *bundleCheck) readSignature(header *tar.Header, content io.Reader) error {
	text, err := io.ReadAll(io.LimitReader(content, maxSignatureBytes+1))
	if err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, content); err != nil {
		return err
	}
	at := inFile(header.Name)
	if header.Name != "manifest.json.sig" {
		c.add("manifest-signature", at, "the signature does not follow the manifest")
		return nil
	}
	name := c.manifest.origin + "/certificates"
	trusted := c.keysOf(name)
	if len(trusted) == 0 {
		c.unchecked = append(c.unchecked, fmt.Sprintf("no key %s was given, so the manifest's signature was not checked", name))
		return nil
	}
	opened, err := note.Open(text, note.VerifierList(trusted...))
	digest := sha256.Sum256(c.manifestBytes)
	if err != nil {
		c.add("manifest-signature", at, err.Error())
	} else if opened.Text != fmt.Sprintf("%s\n%s\n%x\n", format, c.manifest.origin, digest) {
		c.add("manifest-signature", at, "it is the signature of another manifest")
	}
	return nil
}

func (c *bundleCheck) readCheckpoint(content io.Reader) error {
	text, err := io.ReadAll(io.LimitReader(content, maxCheckpointBytes+1))
	if err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, content); err != nil {
		return err
	}
	at := inFile("checkpoint")
	if len(text) > maxCheckpointBytes {
		text = nil
	}
	if head, err := openCheckpoint(text, c.manifest.origin, c.keysOf(c.manifest.origin)); err != nil {
		c.add("checkpoint", at, err.Error())
	} else if head.N != c.manifest.size || base64.StdEncoding.EncodeToString(head.Hash[:]) != c.manifest.root {
		c.add("checkpoint", at, "it is not the checkpoint that the manifest names")
	} else {
		c.events.tree = &head.Tree
	}
	for _, witness := range c.witnesses {
		if _, err := note.Open(text, note.VerifierList(witness)); err != nil {
			c.add("witness", at, witness.Name()+" has not cosigned the checkpoint")
		}
	}
	return nil
}

func openCheckpoint(text []byte, origin string, keys []note.Verifier) (head torchwood.Checkpoint, err error) {
	if len(keys) == 0 {
		return head, fmt.Errorf("no key of %s was given", origin)
	}
	opened, err := note.Open(text, note.VerifierList(keys...))
	if err != nil {
		return head, err
	}
	if head, err = torchwood.ParseCheckpoint(opened.Text); err != nil {
		return head, err
	}
	if head.Origin != origin {
		return head, fmt.Errorf("the checkpoint is of another log than %s", origin)
	}
	return head, nil
}

func (c *bundleCheck) keysOf(name string) (keys []note.Verifier) {
	for _, key := range c.keys {
		if key.Name() == name {
			keys = append(keys, key)
		}
	}
	return keys
}

func (c *bundleCheck) finish() {
	if c.handled == 0 {
		c.add("manifest", inFile(""), "there is no manifest")
		return
	}
	if c.handled == 1 {
		c.add("manifest-signature", inFile(""), "there is no signature of the manifest")
	}
	for i, file := range c.manifest.files {
		if i >= c.handled-2 {
			c.add("file", inFile(file.name), "this file is missing")
		}
	}
	c.events.compare(c.manifest)
}

var (
	errOtherFormat = errors.New("the bundle has a format that this verifier does not know")
	errMalformed   = errors.New("malformed")
	fileName       = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,99}$`)
	hexDigest      = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

// parseObject reads a JSON object. Field names are compared exactly, which decoding into a struct would not do.
func parseObject(text []byte) (map[string]json.RawMessage, error) {
	var fields map[string]json.RawMessage
	if !utf8.Valid(text) {
		return nil, errMalformed
	}
	if err := json.Unmarshal(text, &fields); err != nil || fields == nil {
		return nil, errMalformed
	}
	return fields, nil
}

func parseManifest(text []byte) (*manifest, error) {
	fields, err := parseObject(text)
	if err != nil {
		return nil, err
	}
	var kind *string
	if json.Unmarshal(fields["format"], &kind) != nil || kind == nil {
		return nil, errMalformed
	}
	if *kind != format {
		return nil, errOtherFormat
	}
	var m manifest
	var files []map[string]json.RawMessage
	sound := parseText(fields["origin"], &m.origin) && parseText(fields["root"], &m.root) && isHash(m.root) &&
		parseCount(fields["size"], &m.size) && parseCount(fields["events"], &m.events) &&
		parseCount(fields["streams"], &m.streams) &&
		parseOptionalCount(fields["firstOrdinal"], &m.firstOrdinal) &&
		parseOptionalCount(fields["lastOrdinal"], &m.lastOrdinal) &&
		parseBool(fields["contiguous"], &m.contiguous) && parseBool(fields["fromStart"], &m.fromStart) &&
		json.Unmarshal(fields["files"], &files) == nil && len(files) >= 2 && len(files) <= maxFiles
	if !sound {
		return nil, errMalformed
	}
	for _, fields := range files {
		var f listedFile
		if !parseText(fields["name"], &f.name) || !fileName.MatchString(f.name) || !parseCount(fields["bytes"], &f.bytes) ||
			!parseText(fields["sha256"], &f.sha256) || !hexDigest.MatchString(f.sha256) {
			return nil, errMalformed
		}
		m.files = append(m.files, f)
	}
	if m.files[0].name != "checkpoint" || m.files[1].name != "events.ndjson" {
		return nil, errMalformed
	}
	return &m, nil
}

func isHash(text string) bool {
	bytes, err := base64.StdEncoding.Strict().DecodeString(text)
	return err == nil && len(bytes) == sha256.Size && len(text) == 44
}

func parseText(raw json.RawMessage, into *string) bool {
	var value *string
	if json.Unmarshal(raw, &value) != nil || value == nil {
		return false
	}
	*into = *value
	return true
}

func parseBool(raw json.RawMessage, into *bool) bool {
	var value *bool
	if json.Unmarshal(raw, &value) != nil || value == nil {
		return false
	}
	*into = *value
	return true
}

func parseCount(raw json.RawMessage, into *int64) bool {
	var value *float64
	if json.Unmarshal(raw, &value) != nil || value == nil || *value < 0 || *value > maxCount || *value != float64(int64(*value)) {
		return false
	}
	*into = int64(*value)
	return true
}

func parseOptionalCount(raw json.RawMessage, into **int64) bool {
	if string(raw) == "null" {
		return true
	}
	var value int64
	*into = &value
	return parseCount(raw, &value)
}
