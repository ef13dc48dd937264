package program

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// redisServer is a key-value server that speaks Redis' protocol: strings,
// counters, lists and hashes, and keys that expire. It keeps nothing on disk.
func redisServer(ctx context.Context, p *Process) int {
	r := &redis{p: p, began: time.Now(), keys: map[string]*redisValue{}, conns: map[net.Conn]bool{}}
	port, appendonly, save := 6379, "", ""
	args := p.Args[1:]
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		args = args[1:] // a configuration file
	}
	for len(args) > 1 { // options are --name value…
		switch args[0] {
		case "--port":
			port, _ = strconv.Atoi(args[1])
		case "--requirepass":
			r.password = args[1]
		case "--appendonly":
			appendonly = args[1]
		case "--save":
			save = args[1]
		}
		args = args[1:]
	}
	say := func(format string, a ...any) {
		fmt.Fprintf(p.Stdout, "%d:M %s * %s\n", p.PID(), time.Now().UTC().Format("02 Jan 2006 15:04:05.000"), fmt.Sprintf(format, a...))
	}
	if appendonly == "yes" || save != "" {
		say("Kubestage's stand-in for redis keeps nothing on disk, whatever --appendonly and --save say")
	}
	l, err := p.Network.Listen(port)
	if err != nil {
		fmt.Fprintf(p.Stdout, "Could not create server TCP listening socket *:%d: bind: %s\n", port, sentence(err))
		return 1
	}
	signals := p.Notify(SIGTERM, SIGINT)
	var serving sync.WaitGroup
	serving.Go(func() { // ends with the listener
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			if !r.enter(conn) {
				conn.Close()
				continue
			}
			serving.Go(func() { r.serve(ctx, conn) })
		}
	})
	defer serving.Wait()
	defer r.leaveAll()
	defer l.Close()
	say("Ready to accept connections tcp (Kubestage's stand-in for %s, port %d)", p.Image, port)
	select {
	case <-signals:
		say("User requested shutdown...")
		say("Redis is now ready to exit, bye bye...")
		return 0
	case <-ctx.Done():
		return 137
	}
}

type redis struct {
	p        *Process
	began    time.Time
	password string

	mu      sync.Mutex // guards all below
	keys    map[string]*redisValue
	conns   map[net.Conn]bool
	shut    bool
	handled int
}

// redisValue is what a key holds: exactly one of text, list and hash.
type redisValue struct {
	text    *string
	list    []string
	hash    map[string]string
	expires time.Time // zero is never
	size    int64     // bytes it was counted with
}

const mostClients = 256

func (r *redis) enter(c net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.shut || len(r.conns) >= mostClients {
		return false
	}
	r.conns[c] = true
	return true
}

func (r *redis) leaveAll() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.shut = true
	for c := range r.conns {
		c.Close()
	}
}

func (r *redis) serve(ctx context.Context, conn net.Conn) {
	defer func() {
		conn.Close()
		r.mu.Lock()
		delete(r.conns, conn)
		r.mu.Unlock()
	}()
	in, out := bufio.NewReader(conn), bufio.NewWriter(conn)
	known := r.password == ""
	for ctx.Err() == nil {
		args, err := readCommand(in)
		if errors.Is(err, errProtocol) {
			writeReply(out, failure("ERR Protocol error"))
			out.Flush()
		}
		if err != nil {
			return
		}
		if len(args) == 0 {
			continue
		}
		if r.p.meter.step(ctx, r.p.Used) != nil {
			return
		}
		name := strings.ToLower(args[0])
		switch {
		case name == "auth" && r.password == "":
			writeReply(out, failure("ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?"))
		case name == "auth":
			if known = args[len(args)-1] == r.password; known {
				writeReply(out, simple("OK"))
			} else {
				writeReply(out, failure("WRONGPASS invalid username-password pair or user is disabled."))
			}
		case !known:
			writeReply(out, failure("NOAUTH Authentication required."))
		default:
			writeReply(out, r.do(name, args[1:]))
		}
		if in.Buffered() == 0 && out.Flush() != nil || name == "quit" {
			return
		}
	}
}

const (
	wrongType = failure("WRONGTYPE Operation against a key holding the wrong kind of value")
	notNumber = failure("ERR value is not an integer or out of range")
	badSyntax = failure("ERR syntax error")
)

// redisArity is how many arguments a command takes at least and at most; -1 is any number.
var redisArity = map[string][2]int{
	"ping": {0, 1}, "echo": {1, 1}, "set": {2, -1}, "get": {1, 1}, "getset": {2, 2}, "setnx": {2, 2}, "setex": {3, 3}, "mset": {2, -1}, "mget": {1, -1}, "getdel": {1, 1},
	"del": {1, -1}, "unlink": {1, -1}, "exists": {1, -1}, "incr": {1, 1}, "decr": {1, 1}, "incrby": {2, 2}, "decrby": {2, 2}, "append": {2, 2}, "strlen": {1, 1},
	"expire": {2, 2}, "pexpire": {2, 2}, "ttl": {1, 1}, "pttl": {1, 1}, "persist": {1, 1}, "keys": {1, 1}, "type": {1, 1}, "dbsize": {0, 0}, "flushall": {0, 1}, "flushdb": {0, 1},
	"lpush": {2, -1}, "rpush": {2, -1}, "lpop": {1, 1}, "rpop": {1, 1}, "llen": {1, 1}, "lrange": {3, 3},
	"hset": {3, -1}, "hget": {2, 2}, "hgetall": {1, 1}, "hdel": {2, -1}, "hlen": {1, 1},
	"info": {0, -1}, "time": {0, 0}, "select": {1, 1}, "command": {0, -1}, "client": {1, -1}, "config": {1, -1}, "hello": {0, -1}, "quit": {0, 0}, "save": {0, 0},
}

func (r *redis) do(name string, args []string) any {
	arity, known := redisArity[name]
	if !known {
		return failure(fmt.Sprintf("ERR unknown command '%s' (Kubestage's stand-in knows the common ones)", name))
	}
	if len(args) < arity[0] || arity[1] >= 0 && len(args) > arity[1] || name == "mset" && len(args)%2 != 0 || name == "hset" && len(args)%2 == 0 {
		return failure(fmt.Sprintf("ERR wrong number of arguments for '%s' command", name))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.handled++
	var v *redisValue
	if len(args) > 0 {
		v = r.look(args[0])
	}
	switch name {
	case "ping":
		if len(args) == 1 {
			return bulkText(args[0])
		}
		return simple("PONG")
	case "echo":
		return bulkText(args[0])
	case "quit", "select", "client", "save":
		return simple("OK")
	case "command":
		return replies{}
	case "config":
		return replies{}
	case "hello":
		return failure("NOPROTO unsupported protocol version")
	case "time":
		t := time.Now()
		return replies{bulkText(fmt.Sprint(t.Unix())), bulkText(fmt.Sprint(t.Nanosecond() / 1000))}
	case "info":
		return bulkText(r.info())
	case "dbsize":
		return len(r.keys)
	case "flushall", "flushdb":
		for key := range r.keys {
			r.drop(key)
		}
		return simple("OK")
	case "keys":
		found := replies{}
		for _, key := range r.sortedKeys() {
			if ok, _ := path.Match(args[0], key); ok && r.look(key) != nil {
				found = append(found, bulkText(key))
			}
		}
		return found
	case "type":
		return simple(v.kind())
	case "del", "unlink", "exists":
		n := 0
		for _, key := range args {
			if r.look(key) == nil {
				continue
			}
			n++
			if name != "exists" {
				r.drop(key)
			}
		}
		return n
	case "expire", "pexpire":
		n, err := strconv.ParseInt(args[1], 10, 64)
		unit := time.Second
		if name == "pexpire" {
			unit = time.Millisecond
		}
		switch {
		case err != nil || n > int64(forever/unit):
			return notNumber
		case v == nil:
			return 0
		}
		v.expires = time.Now().Add(time.Duration(n) * unit)
		return 1
	case "ttl", "pttl":
		switch {
		case v == nil:
			return -2
		case v.expires.IsZero():
			return -1
		case name == "pttl":
			return int(time.Until(v.expires).Milliseconds())
		}
		return int(time.Until(v.expires).Round(time.Second) / time.Second)
	case "persist":
		if v == nil || v.expires.IsZero() {
			return 0
		}
		v.expires = time.Time{}
		return 1
	case "lpush", "rpush", "lpop", "rpop", "llen", "lrange":
		return r.doList(name, args, v)
	case "hset", "hget", "hgetall", "hdel", "hlen":
		return r.doHash(name, args, v)
	}
	return r.doText(name, args, v)
}

// look finds what a key holds, and forgets what has expired.
func (r *redis) look(key string) *redisValue {
	v := r.keys[key]
	if v != nil && !v.expires.IsZero() && !time.Now().Before(v.expires) {
		r.drop(key)
		return nil
	}
	return v
}

func (r *redis) drop(key string) {
	if v := r.keys[key]; v != nil {
		r.p.Release(v.size)
		delete(r.keys, key)
	}
}

// keep stores a value and counts it. Where there is no memory for it the
// container ends, as any that is over its limit.
func (r *redis) keep(key string, v *redisValue) any {
	now := int64(len(key)) + 64
	if v.text != nil {
		now += int64(len(*v.text))
	}
	for _, e := range v.list {
		now += int64(len(e)) + 16
	}
	for k, e := range v.hash {
		now += int64(len(k)+len(e)) + 32
	}
	if more := now - v.size; more > 0 && !r.p.Hold(more) {
		return failure("OOM command not allowed when used memory > 'maxmemory'.")
	} else if more < 0 {
		r.p.Release(-more)
	}
	v.size = now
	r.keys[key] = v
	return nil
}

func (v *redisValue) kind() string {
	switch {
	case v == nil:
		return "none"
	case v.text != nil:
		return "string"
	case v.hash != nil:
		return "hash"
	}
	return "list"
}

// doText are the commands for strings.
func (r *redis) doText(name string, args []string, v *redisValue) any {
	if v != nil && v.text == nil && !slices.Contains([]string{"set", "mset", "mget", "setex"}, name) {
		return wrongType
	}
	get := func(v *redisValue) any {
		if v == nil || v.text == nil {
			return nothing{}
		}
		return bulkText(*v.text)
	}
	put := func(key, text string, expires time.Time) any {
		r.drop(key)
		if err := r.keep(key, &redisValue{text: &text, expires: expires}); err != nil {
			return err
		}
		return simple("OK")
	}
	switch name {
	case "get":
		return get(v)
	case "getdel", "getset":
		old := get(v)
		r.drop(args[0])
		if name == "getset" {
			put(args[0], args[1], time.Time{})
		}
		return old
	case "set":
		return r.set(args, v, get, put)
	case "setnx":
		if v != nil {
			return 0
		}
		put(args[0], args[1], time.Time{})
		return 1
	case "setex":
		n, err := strconv.Atoi(args[1])
		if err != nil || n <= 0 {
			return notNumber
		}
		return put(args[0], args[2], time.Now().Add(time.Duration(n)*time.Second))
	case "mset":
		for pair := range slices.Chunk(args, 2) {
			put(pair[0], pair[1], time.Time{})
		}
		return simple("OK")
	case "mget":
		all := replies{}
		for _, key := range args {
			all = append(all, get(r.look(key)))
		}
		return all
	case "strlen":
		if v == nil {
			return 0
		}
		return len(*v.text)
	case "append":
		text := args[1]
		expires := time.Time{}
		if v != nil {
			text, expires = *v.text+text, v.expires
		}
		if len(text) > longestBulk {
			return failure("ERR string exceeds maximum allowed size")
		}
		put(args[0], text, expires)
		return len(text)
	}
	step := int64(1) // incr, decr, incrby, decrby
	if len(args) == 2 {
		var err error
		if step, err = strconv.ParseInt(args[1], 10, 64); err != nil {
			return notNumber
		}
	}
	if strings.HasPrefix(name, "decr") {
		step = -step
	}
	n, expires := int64(0), time.Time{}
	if v != nil {
		var err error
		if n, err = strconv.ParseInt(*v.text, 10, 64); err != nil {
			return notNumber
		}
		expires = v.expires
	}
	put(args[0], fmt.Sprint(n+step), expires)
	return int(n + step)
}

func (r *redis) set(args []string, v *redisValue, get func(*redisValue) any, put func(key, text string, expires time.Time) any) any {
	var expires time.Time
	var onlyNew, onlyOld, wantOld bool
	for rest := args[2:]; len(rest) > 0; rest = rest[1:] {
		switch option := strings.ToUpper(rest[0]); option {
		case "NX":
			onlyNew = true
		case "XX":
			onlyOld = true
		case "GET":
			wantOld = true
		case "KEEPTTL":
			if v != nil {
				expires = v.expires
			}
		case "EX", "PX":
			if len(rest) < 2 {
				return badSyntax
			}
			n, err := strconv.ParseInt(rest[1], 10, 64)
			if err != nil || n <= 0 {
				return notNumber
			}
			unit := map[string]time.Duration{"EX": time.Second, "PX": time.Millisecond}[option]
			expires, rest = time.Now().Add(time.Duration(min(n, int64(forever/unit)))*unit), rest[1:]
		default:
			return badSyntax
		}
	}
	old := get(v)
	if onlyNew && v != nil || onlyOld && v == nil {
		if wantOld {
			return old
		}
		return nothing{}
	}
	done := put(args[0], args[1], expires)
	if wantOld {
		return old
	}
	return done
}

func (r *redis) doList(name string, args []string, v *redisValue) any {
	if v != nil && v.list == nil {
		return wrongType
	}
	key := args[0]
	switch name {
	case "lpush", "rpush":
		if v == nil {
			v = &redisValue{}
		}
		for _, e := range args[1:] {
			if name == "lpush" {
				v.list = slices.Insert(v.list, 0, e)
			} else {
				v.list = append(v.list, e)
			}
		}
		return cmp.Or[any](r.keep(key, v), len(v.list))
	case "lpop", "rpop":
		if v == nil {
			return nothing{}
		}
		at := 0
		if name == "rpop" {
			at = len(v.list) - 1
		}
		e := v.list[at]
		if v.list = slices.Delete(v.list, at, at+1); len(v.list) == 0 {
			r.drop(key)
		} else {
			r.keep(key, v)
		}
		return bulkText(e)
	case "llen":
		if v == nil {
			return 0
		}
		return len(v.list)
	}
	from, err1 := strconv.Atoi(args[1])
	to, err2 := strconv.Atoi(args[2])
	if err1 != nil || err2 != nil {
		return notNumber
	}
	all := replies{}
	if v == nil {
		return all
	}
	if from < 0 {
		from += len(v.list)
	}
	if to < 0 {
		to += len(v.list)
	}
	for i := max(0, from); i <= min(to, len(v.list)-1); i++ {
		all = append(all, bulkText(v.list[i]))
	}
	return all
}

func (r *redis) doHash(name string, args []string, v *redisValue) any {
	if v != nil && v.hash == nil {
		return wrongType
	}
	key := args[0]
	if v == nil {
		v = &redisValue{hash: map[string]string{}}
	}
	switch name {
	case "hset":
		added := 0
		for pair := range slices.Chunk(args[1:], 2) {
			if _, ok := v.hash[pair[0]]; !ok {
				added++
			}
			v.hash[pair[0]] = pair[1]
		}
		return cmp.Or[any](r.keep(key, v), added)
	case "hget":
		if e, ok := v.hash[args[1]]; ok {
			return bulkText(e)
		}
		return nothing{}
	case "hlen":
		return len(v.hash)
	case "hdel":
		gone := 0
		for _, field := range args[1:] {
			if _, ok := v.hash[field]; ok {
				delete(v.hash, field)
				gone++
			}
		}
		if len(v.hash) == 0 {
			r.drop(key)
		} else {
			r.keep(key, v)
		}
		return gone
	}
	all := replies{}
	for _, field := range sorted(v.hash) {
		all = append(all, bulkText(field), bulkText(v.hash[field]))
	}
	return all
}

func (r *redis) sortedKeys() []string { return sorted(r.keys) }

func sorted[V any](m map[string]V) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func (r *redis) info() string {
	expires := 0
	for _, v := range r.keys {
		if !v.expires.IsZero() {
			expires++
		}
	}
	text := fmt.Sprintf("# Server\r\nredis_version:0.0.0-kubestage-stand-in\r\nredis_mode:standalone\r\nprocess_id:%d\r\nuptime_in_seconds:%d\r\n\r\n# Clients\r\nconnected_clients:%d\r\n\r\n"+
		"# Memory\r\nused_memory:%d\r\n\r\n# Stats\r\ntotal_commands_processed:%d\r\n\r\n# Replication\r\nrole:master\r\nconnected_slaves:0\r\n\r\n# Keyspace\r\n",
		r.p.PID(), int(time.Since(r.began).Seconds()), len(r.conns), r.p.holds(), r.handled)
	if len(r.keys) > 0 {
		text += fmt.Sprintf("db0:keys=%d,expires=%d,avg_ttl=0\r\n", len(r.keys), expires)
	}
	return text
}

// redisCLI sends the command it is given, or each line of its input.
func redisCLI(ctx context.Context, p *Process) int {
	host, port, password, raw := "127.0.0.1", 6379, p.Getenv("REDISCLI_AUTH"), false
	args, bad, ok := p.flags(func(f *flag.FlagSet) {
		f.StringVar(&host, "h", host, "server")
		f.IntVar(&port, "p", port, "port")
		f.StringVar(&password, "a", password, "password")
		f.Int("n", 0, "database; there is one")
		f.BoolVar(&raw, "raw", false, "print values as they are")
		f.Bool("no-auth-warning", false, "")
	})
	if !ok {
		return bad
	}
	at := net.JoinHostPort(host, strconv.Itoa(port))
	conn, err := p.dial(ctx, at)
	if err != nil {
		fmt.Fprintf(p.Stderr, "Could not connect to Redis at %s: %s\n", at, dialReason(err))
		return 1
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	in, out := bufio.NewReader(conn), bufio.NewWriter(conn)
	ask := func(args []string) (any, error) {
		command := replies{}
		for _, a := range args {
			command = append(command, bulkText(a))
		}
		writeReply(out, command)
		if err := out.Flush(); err != nil {
			return nil, err
		}
		return readReply(in)
	}
	if password != "" {
		if _, err := ask([]string{"auth", password}); err != nil {
			return 1
		}
	}
	show := func(args []string) int {
		reply, err := ask(args)
		if err != nil {
			fmt.Fprintln(p.Stderr, "Error: Server closed the connection")
			return 1
		}
		_, isFailure := reply.(failure)
		showReply(p.Stdout, reply, raw || !p.Terminal, "")
		if isFailure {
			return 1
		}
		return 0
	}
	if len(args) > 0 {
		return show(args)
	}
	prompt := func() {
		if p.Terminal {
			io.WriteString(p.Stdout, at+"> ")
		}
	}
	prompt()
	p.eachLine(ctx, p.Stdin, func(line string) error {
		words := strings.Fields(line)
		for i, w := range words {
			words[i] = strings.Trim(w, `"'`)
		}
		if len(words) > 0 && (words[0] == "exit" || words[0] == "quit") {
			return errEnough
		}
		if len(words) > 0 {
			show(words)
		}
		prompt()
		return nil
	})
	return 0
}
