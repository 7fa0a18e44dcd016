package main

import (
	"bufio"
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"

	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	maxLineBytes   = 1 << 21
	maxStreams     = 1_000_000
	maxProofHashes = 63
)

// A head is the newest event of a stream; the hash is empty when it is not known what the event really was.
type head struct {
	revision int64
	hash     string
}

type eventsCheck struct {
	*report
	// tree is nil while no checkpoint is trusted.
	tree                  *tlog.Tree
	heads                 map[string]head
	lines                 int64
	first, last           int64
	contiguous, fromStart bool
	tooManyStreams        bool
}

type eventLine struct {
	envelope, key []byte
	ordinal       int64
	proof         [][]byte
}

type envelope struct {
	id, kind, stream string
	revision         int64
	prev, sealed     *string
}

type trouble struct{ code, detail string }

// read checks every line; an error is one of the source or an archive that ends early.
func (c *eventsCheck) read(source io.Reader) error {
	reader := bufio.NewReaderSize(source, 1<<16)
	var line []byte
	for {
		part, err := reader.ReadSlice('\n')
		if len(line)+len(part) <= maxLineBytes+1 {
			line = append(line, part...)
		} else if len(line) <= maxLineBytes+1 {
			line = append(line, make([]byte, maxLineBytes+2-len(line))...)
		}
		switch {
		case err == nil:
			c.checkLine(bytes.TrimSuffix(line, []byte("\n")), len(line) > maxLineBytes+1)
			line = line[:0]
		case errors.Is(err, bufio.ErrBufferFull):
		case err == io.EOF:
			if len(line) > 0 {
				c.add("line", onLine(c.lines+1, -1), "the last line has no newline")
			}
			return nil
		default:
			return err
		}
	}
}

func (c *eventsCheck) checkLine(text []byte, tooLong bool) {
	c.lines++
	c.events = c.lines
	line, ok := parseLine(text)
	if !ok || tooLong {
		c.add("line", onLine(c.lines, -1), "the line is not of its form")
		return
	}
	event, err := parseEnvelope(line.envelope)
	found := c.troubleOf(line, event)
	if c.first < 0 {
		c.first = line.ordinal
	}
	c.last = line.ordinal
	if found == nil {
		return
	}
	at := onLine(c.lines, line.ordinal)
	if err == nil {
		at.stream, at.revision = event.stream, event.revision
	}
	c.add(found.code, at, found.detail)
}

func (c *eventsCheck) troubleOf(line eventLine, event *envelope) *trouble {
	var order, chain *trouble
	if line.ordinal <= c.last {
		order = &trouble{"order", fmt.Sprintf("the ordinal is not above %d", c.last)}
	}
	proved := c.tree == nil || c.proves(line)
	if event != nil {
		chain = c.follow(line, event, proved)
	}
	switch {
	case order != nil:
		return order
	case !proved:
		return &trouble{"proof", "the proof does not lead to the root of the checkpoint"}
	case event == nil:
		return &trouble{"envelope", "the envelope is not an event"}
	case chain != nil:
		return chain
	case line.key != nil && !event.opens(line.key):
		return &trouble{"key", "the key does not open what is sealed"}
	}
	return nil
}

func (c *eventsCheck) proves(line eventLine) bool {
	hasher := rfc6962.DefaultHasher
	entry := sha256.Sum256(line.envelope)
	leaf := hasher.HashLeaf(entry[:])
	return proof.VerifyInclusion(hasher, uint64(line.ordinal), uint64(c.tree.N), leaf, line.proof, c.tree.Hash[:]) == nil
}

func (c *eventsCheck) follow(line eventLine, event *envelope, proved bool) *trouble {
	before, known := c.heads[event.stream]
	if !known && len(c.heads) >= maxStreams {
		if !c.tooManyStreams {
			c.unchecked = append(c.unchecked, "there are too many streams to check their chains")
		}
		c.tooManyStreams = true
		return nil
	}
	if !known || event.revision > before.revision {
		now := head{revision: event.revision}
		if proved {
			hash := sha256.Sum256(line.envelope)
			now.hash = hex.EncodeToString(hash[:])
		}
		c.heads[event.stream] = now
		c.streams = len(c.heads)
	}
	switch {
	case !known && (event.revision == 0) != (event.prev == nil):
		return &trouble{"chain", "only revision 0 has no event before it"}
	case !known && event.revision > 0 && c.fromStart:
		return &trouble{"gap", "revisions from 0 are missing"}
	case !known:
		return nil
	case event.revision <= before.revision:
		return &trouble{"chain", fmt.Sprintf("the revision is not above %d", before.revision)}
	case event.revision > before.revision+1 && c.contiguous:
		return &trouble{"gap", fmt.Sprintf("revisions from %d are missing", before.revision+1)}
	case event.revision == before.revision+1 && before.hash != "" && (event.prev == nil || *event.prev != before.hash):
		return &trouble{"chain", "the envelope does not name the hash of the event before it"}
	}
	return nil
}

func (c *eventsCheck) compare(m *manifest) {
	compare := func(word string, said, found int64) {
		if said != found {
			c.add("manifest", inFile("manifest.json"), fmt.Sprintf("%s is %d and not %d", word, said, found))
		}
	}
	compare("events", m.events, c.lines)
	if !c.tooManyStreams {
		compare("streams", m.streams, int64(len(c.heads)))
	}
	compare("firstOrdinal", orMinusOne(m.firstOrdinal), c.first)
	compare("lastOrdinal", orMinusOne(m.lastOrdinal), c.last)
}

func orMinusOne(value *int64) int64 {
	if value == nil {
		return -1
	}
	return *value
}

var lineForm = regexp.MustCompile(
	`^\{"envelope":"([A-Za-z0-9+/]*={0,2})","key":(?:null|"([A-Za-z0-9+/]*={0,2})"),` +
		`"ordinal":(0|[1-9][0-9]{0,15}),"proof":"([A-Za-z0-9+/]*={0,2})"\}$`)

func parseLine(text []byte) (line eventLine, ok bool) {
	parts := lineForm.FindSubmatch(text)
	if parts == nil {
		return line, false
	}
	decode := base64.StdEncoding.Strict().DecodeString
	envelope, err1 := decode(string(parts[1]))
	ordinal, err2 := strconv.ParseInt(string(parts[3]), 10, 64)
	hashes, err3 := decode(string(parts[4]))
	if err1 != nil || err2 != nil || err3 != nil || ordinal > maxCount {
		return line, false
	}
	if parts[2] != nil {
		key, err := decode(string(parts[2]))
		if err != nil || len(key) != 32 {
			return line, false
		}
		line.key = key
	}
	if len(hashes)%sha256.Size != 0 || len(hashes) > maxProofHashes*sha256.Size {
		return line, false
	}
	for ; len(hashes) > 0; hashes = hashes[sha256.Size:] {
		line.proof = append(line.proof, hashes[:sha256.Size])
	}
	line.envelope, line.ordinal = envelope, ordinal
	return line, true
}

func parseEnvelope(text []byte) (*envelope, error) {
	fields, err := parseObject(text)
	if err != nil {
		return nil, err
	}
	var e envelope
	sound := parseText(fields["id"], &e.id) && parseText(fields["type"], &e.kind) &&
		parseText(fields["stream"], &e.stream) && parseCount(fields["revision"], &e.revision)
	prev, given := fields["prev"]
	if !sound || !given || json.Unmarshal(prev, &e.prev) != nil || e.prev != nil && !hexDigest.MatchString(*e.prev) {
		return nil, errMalformed
	}
	data, err := parseObject(fields["data"])
	if err != nil {
		return nil, errMalformed
	}
	if sealed, given := data["sealed"]; given && json.Unmarshal(sealed, &e.sealed) != nil {
		return nil, errMalformed
	}
	return &e, nil
}

// opens tells whether the event's own key opens what is sealed in it: AES-256-GCM, bound to stream, id and type.
func (e *envelope) opens(key []byte) bool {
	if e.sealed == nil {
		return false
	}
	box, err := base64.RawURLEncoding.Strict().DecodeString(*e.sealed)
	if err != nil || len(box) < 12+16 {
		return false
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return false
	}
	sealer, err := cipher.NewGCM(block)
	if err != nil {
		return false
	}
	_, err = sealer.Open(nil, box[:12], box[12:], []byte(e.stream+"|"+e.id+"|"+e.kind))
	return err == nil
}
