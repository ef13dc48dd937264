package sandbox

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"mime"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
)

// frame is one event of a watch, as much of it as we read.
type frame struct {
	verb     string // ADDED, MODIFIED, DELETED, BOOKMARK or ERROR
	meta     frameMeta
	listEnds bool // a bookmark: all that was there when the watch began has been sent
}

type frameMeta struct {
	name, namespace, uid, resourceVersion string
}

// listEndsAnnotation marks the bookmark behind the last of the objects that a
// client asked for with sendInitialEvents: metav1.InitialEventsAnnotationKey.
const listEndsAnnotation = "k8s.io/initial-events-end"

// longestFrame bounds what is kept of a frame that is not complete yet: the
// largest object etcd takes (1.5 MiB) is several times as long in JSON.
const longestFrame = 16 << 20

// framer cuts the body of a watch response into frames. It is given the bytes
// as they pass, in whatever pieces, and changes none.
type framer struct {
	cut    func(b []byte) (frame []byte, rest []byte, ok bool)
	decode func(b []byte) (frame, error)
	rest   []byte
	lost   bool // a frame was too long or not readable; nothing after it is read
}

// newFramer returns nil for an encoding that is not read here: CBOR, which
// clients do not ask for by default (ClientsAllowCBOR).
func newFramer(contentType string) *framer {
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return nil
	}
	switch media {
	case "application/json":
		return &framer{cut: cutLine, decode: decodeJSONFrame}
	case "application/vnd.kubernetes.protobuf":
		return &framer{cut: cutLength, decode: decodeProtobufFrame}
	}
	return nil
}

// write takes bytes and returns the frames that they complete.
func (f *framer) write(b []byte) (frames []frame) {
	if f.lost {
		return nil
	}
	if len(f.rest) > 0 {
		f.rest = append(f.rest, b...)
		b = f.rest
	}
	for {
		one, rest, ok := f.cut(b)
		if !ok {
			break
		}
		b = rest
		if len(one) == 0 {
			continue
		}
		fr, err := f.decode(one)
		if err != nil {
			f.lost = true
			return frames
		}
		frames = append(frames, fr)
	}
	f.lost = len(b) > longestFrame
	f.rest = append(f.rest[:0], b...)
	return frames
}

// cutLine: JSON is sent one object a line
// (apimachinery/pkg/runtime/serializer/json/json.go, jsonFramer).
func cutLine(b []byte) (one, rest []byte, ok bool) {
	one, rest, ok = bytes.Cut(b, []byte{'\n'})
	return bytes.TrimSpace(one), rest, ok
}

// cutLength: protobuf has its length in front, in four bytes
// (apimachinery/pkg/util/framer/framer.go, lengthDelimitedFrameWriter).
func cutLength(b []byte) (one, rest []byte, ok bool) {
	if len(b) < 4 {
		return nil, b, false
	}
	n := uint64(binary.BigEndian.Uint32(b))
	if uint64(len(b)) < 4+n {
		return nil, b, false
	}
	return b[4 : 4+n], b[4+n:], true
}

type jsonMeta struct {
	Name            string            `json:"name"`
	Namespace       string            `json:"namespace"`
	UID             string            `json:"uid"`
	ResourceVersion string            `json:"resourceVersion"`
	Annotations     map[string]string `json:"annotations"`
}

func decodeJSONFrame(b []byte) (frame, error) {
	var f struct {
		Type   string `json:"type"`
		Object struct {
			Metadata jsonMeta `json:"metadata"`
			Rows     []struct {
				Object struct {
					Metadata jsonMeta `json:"metadata"`
				} `json:"object"`
			} `json:"rows"` // of a Table, which kubectl get -w asks for
		} `json:"object"`
	}
	if err := json.Unmarshal(b, &f); err != nil {
		return frame{}, err
	}
	m := f.Object.Metadata
	if len(f.Object.Rows) > 0 {
		m = f.Object.Rows[0].Object.Metadata
	}
	return frame{f.Type, frameMeta{m.Name, m.Namespace, m.UID, m.ResourceVersion}, m.Annotations[listEndsAnnotation] == "true"}, nil
}

// The fields we read, as in generated.proto of k8s.io/apimachinery. ObjectMeta
// is field 1 of every kind of object.
const (
	watchEventType   = 1 // meta/v1 WatchEvent
	watchEventObject = 2
	rawExtensionRaw  = 1 // runtime RawExtension
	unknownRaw       = 2 // runtime Unknown
	objectMetadata   = 1
	metaName         = 1 // meta/v1 ObjectMeta
	metaNamespace    = 3
	metaUID          = 5
	metaVersion      = 6
	metaAnnotations  = 12
	mapKey, mapValue = 1, 2
)

const protobufMagic = "k8s\x00"

func decodeProtobufFrame(b []byte) (frame, error) {
	var f frame
	var raw []byte
	err := fields(b, func(number protowire.Number, v []byte) {
		switch number {
		case watchEventType:
			f.verb = string(v)
		case watchEventObject:
			raw = v
		}
	})
	if err != nil {
		return frame{}, err
	}
	if raw, err = field(raw, rawExtensionRaw); err != nil {
		return frame{}, err
	}
	if !bytes.HasPrefix(raw, []byte(protobufMagic)) {
		return frame{}, errors.New("an object in protobuf without its prefix")
	}
	if raw, err = field(raw[len(protobufMagic):], unknownRaw); err != nil {
		return frame{}, err
	}
	if f.verb == "ERROR" {
		return f, nil // its object is a Status, whose metadata is of another kind
	}
	if raw, err = field(raw, objectMetadata); err != nil {
		return frame{}, err
	}
	err = fields(raw, func(number protowire.Number, v []byte) {
		switch number {
		case metaName:
			f.meta.name = string(v)
		case metaNamespace:
			f.meta.namespace = string(v)
		case metaUID:
			f.meta.uid = string(v)
		case metaVersion:
			f.meta.resourceVersion = string(v)
		case metaAnnotations:
			key, _ := field(v, mapKey)
			if string(key) == listEndsAnnotation {
				value, _ := field(v, mapValue)
				f.listEnds = string(value) == "true"
			}
		}
	})
	return f, err
}

// fields calls found for each field of a message that has a length.
func fields(b []byte, found func(protowire.Number, []byte)) error {
	for len(b) > 0 {
		number, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return protowire.ParseError(n)
		}
		b = b[n:]
		if kind == protowire.BytesType {
			v, n := protowire.ConsumeBytes(b)
			if n < 0 {
				return protowire.ParseError(n)
			}
			found(number, v)
			b = b[n:]
			continue
		}
		if n = protowire.ConsumeFieldValue(number, kind, b); n < 0 {
			return protowire.ParseError(n)
		}
		b = b[n:]
	}
	return nil
}

// field returns the last field of a message that has a number, as protobuf
// has it, or nothing.
func field(b []byte, want protowire.Number) (v []byte, err error) {
	err = fields(b, func(number protowire.Number, found []byte) {
		if number == want {
			v = found
		}
	})
	return v, err
}

// resourceOf says which resource a request's path is about, as in
// RequestInfoFactory.NewRequestInfo (apiserver/pkg/endpoints/request/requestinfo.go:116).
func resourceOf(path string) (group, version, resource, namespace, name string, ok bool) {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	switch {
	case len(parts) >= 3 && parts[0] == "api":
		version, parts = parts[1], parts[2:]
	case len(parts) >= 4 && parts[0] == "apis":
		group, version, parts = parts[1], parts[2], parts[3:]
	default:
		return
	}
	if parts[0] == "watch" { // the old form of a watch
		parts = parts[1:]
	}
	if len(parts) > 2 && parts[0] == "namespaces" {
		namespace, parts = parts[1], parts[2:]
	}
	if len(parts) == 0 {
		return
	}
	if len(parts) > 1 {
		name = parts[1]
	}
	return group, version, parts[0], namespace, name, true
}
