package server

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kubestage/kubestage/content/notes"
)

// noteCase is a habit of people who write notes: what stands in a file, and what the
// page of the note makes of it. How a page behaves when it is used is shown in the
// browser (e2e/specs/notes.spec.ts).
type noteCase struct {
	id, what string
	note     string
	holds    []string
	lacks    []string
}

var noteCases = []noteCase{
	// What kind of file it is.
	{"D1", "an outline with numbers for headings", "## 6장. 컨트롤러\n6.1 리플리케이션 컨트롤러\n6.2 레플리카셋\n", []string{`<h3 id="note-6">`, `<h4 id="note-6.1">`, `<span class="contents-id">6.2</span>`}, nil},
	{"D2", "text with dots for bullets and no heading", "API 서버 정리\n\n• 인증\n  • 인증서\n", []string{`<h3 id="note-api-서버-정리">`, `<li class="note-depth-1">`}, nil},
	{"D3", "a post with a head", "---\nlayout: post\ntitle: 용어 - 정리\n---\n글\n", []string{`<h2 class="chapter-title">용어 - 정리</h2>`, "<dt>layout</dt>"}, []string{"<hr"}},
	{"D4", "wiki links, tabs and tags", "#k8s\n- [[pod]]\n\t- 노드\n", []string{`class="term wiki" data-term="pod"`, `<span class="note-tag">#k8s</span>`, "note-depth-1"}, []string{"<h3"}},
	{"D5", "fences, quotes and hard breaks", "> 가상 머신  \n> 이란\n\n```yaml\na: 1\n```\n", []string{"<blockquote", "<br>", "<pre"}, nil},
	{"D0", "other line ends and spellings of Unicode", "\xef\xbb\xbf# \u1111\u1161\u1103\u1173\r\n글\u00a0하나\r\n", []string{"파드</h2>", "글 하나"}, nil},
	// Blocks.
	{"P1", "numbered lines without body", "6.3.4 디플로이먼트 상태\n6.3.5 디플로이먼트 배포\n", []string{`id="note-6.3.4"`, `id="note-6.3.5"`, "in the contents"}, nil},
	{"P2", "chapter numbers in Korean", "# 1부 시작\n## 3장. 파드\n", []string{`<span class="contents-id">3</span>`, `<span class="contents-id">1부</span>`}, nil},
	{"P3", "a heading below a numbered one", "#### 4.2.1 마스터용 컴포넌트\n##### etcd\n", []string{`id="note-4.2.1-etcd"`, `href="/en/chapter/etcd"`}, nil},
	{"P4", "the same heading again", "# 가\n## 요약\n# 나\n## 요약\n", []string{`id="note-요약"`, `id="note-나/요약"`}, nil},
	{"P5", "four spaces before a bullet are depth", "• 하나\n    • 둘\n      – 셋\n", []string{"note-depth-1", "note-depth-2"}, []string{"<pre"}},
	{"P6", "a manifest that became bullets", "• command:\n  • kube-apiserver\n  • –secure-port=6443\n", []string{"rebuilt from its words", "--secure-port=6443"}, []string{"data-manifest"}},
	{"P7", "a fence that opens in a line", "• 보기 ```cat a.yaml\nkind: Pod\nstatus: {}```\n• 그다음 글\n", []string{"opens or closes in the middle", "그다음 글</li>"}, nil},
	{"P8", "a dash that is no option", "–etcd-servers=https://a\n", []string{"a long dash", "<code class=\"note-rather\">--etcd-servers</code>"}, nil},
	{"P9", "a console below a bullet", "• 본다\n    $ kubectl get ns\n    NAME\n", []string{"<code>kubectl get ns</code>"}, nil},
	{"P10", "a list by tabs", "- 가\n\t- 나\n\t\t- 다\n", []string{"note-depth-2"}, []string{"<pre"}},
	{"P11", "a bold line right below a picture", "![a](none.png)\n**레플리카셋**\n글\n", []string{"<h3 id=\"note-레플리카셋\">"}, nil},
	{"P12", "a bold line is a heading", "## 구성\n**마스터 서버**\n글\n", []string{"<h4 id=\"note-마스터-서버\">"}, nil},
	{"P13", "the caption of a list is none", "주요기능\n- 롤링 업데이트\n", []string{">주요기능</p>"}, []string{"<h3"}},
	{"P14", "a line across", "글\n\n---\n\n글\n", []string{"<hr>"}, []string{"note-front"}},
	{"P15", "what to do later", ">>> 나중에 다시 정리\n", []string{`<span class="note-kind">to do</span>`}, nil},
	{"P16", "a quote is a definition", "> 가상\n> 둘째\n", []string{"<blockquote"}, nil},
	{"P17", "a break at the end of a line", "하나  \n둘\n", []string{"<br>"}, nil},
	{"P18", "two commands and a word between", "`kubectl get pods`\nor\n`kubectl get po`\n", []string{"<code>kubectl get pods</code>", "or", "<code>kubectl get po</code>"}, nil},
	{"P19", "no line end at the end", "# 끝\n\n글\n\n\n\n끝 줄", []string{"끝 줄"}, nil},
	{"P20", "a figure of a book", "`그림 4-1`\n", []string{`<a class="note-figure" href="#stage"`}, nil},
	{"P21", "every field of the head", "---\nlayout: post\nsubtitle: 'a - b'\ndate: 2023-11-22\nheader-img: img/x.jpg\ncatalog: true\ntags:\n  - k8s\n---\n", []string{"<dd>a - b</dd>", "<dd>2023-11-22</dd>", "<dd>img/x.jpg</dd>", "<dd>k8s</dd>"}, nil},
	{"P22", "pictures of the folder", "![p](/img/post/pod.png) ![[pod.png|300]] ![q](img/gone.png)\n", []string{`<img class="note-picture" src="/api/pictures/img/post/pod.png" alt="p" loading="lazy">`, `alt="pod.png"`, "not in the folder: q"}, nil},
	{"P23", "a picture elsewhere", "![구조](https://cdn.example.com/a.svg)\n", []string{"picture on cdn.example.com, not loaded: 구조", `<a href="https://cdn.example.com/a.svg" rel="noreferrer" target="_blank"`}, []string{"<img"}},
	{"P24", "bold that does not close", "** 참고: 글\n", []string{"bold that is never closed", "** 참고: 글"}, nil},
	// Links and terms.
	{"L1", "wiki links to what the book explains", "[[POD]] [[없는 것]]\n", []string{`data-term="pod">POD</button>`, `class="wiki wiki-missing"`}, nil},
	{"L2", "aliases, headings, folders, embeds", "[[P22|그림]] [[P4#나#요약]] [[주소록/P22]] ![[P4]]\n", []string{`href="/en/notes/P22.md">그림</a>`, "P4.md#note-%EB%82%98%2F%EC%9A%94%EC%95%BD", `href="/en/notes/P4.md">P4</a>`}, nil},
	{"L3", "links in code are code", "`[[pod]]`\n\n```\n[[pod]]\n```\n", []string{"<code>[[pod]]</code>"}, []string{"data-term"}},
	{"L4", "tags are no headings", "# 글\n\n#k8s/pod 글 #둘\n\n```yaml\n#k8s\n```\n", []string{`<span class="note-tag">#k8s/pod</span>`, `<span class="note-tag">#둘</span>`}, []string{"#k8s</span>"}},
	{"L5", "families of spellings", "# 글\n\n포드 레플리카세트 데몬세트 스테이트풀세트 라벨 큐브 API 서버 마스터\n", []string{`data-term="pod">포드<`, `data-term="replicaset">레플리카세트<`, `data-term="daemonset">데몬세트<`, `data-term="statefulset">스테이트풀세트<`, `data-term="label">라벨<`, `data-term="apiserver">큐브 API 서버<`, `data-term="control-plane">마스터<`}, nil},
	{"L6", "particles", "# 글\n\n파드는 파드로 etcd에서는\n", []string{`data-term="pod">파드</button>는`, `data-term="etcd">etcd</button>에서는`}, nil},
	{"L7", "false friends", "# 글\n\n리눅스 네임 스페이스 UTS 네임스페이스 마이크로 서비스 네트워크 노드\n", nil, []string{"data-term"}},
	{"L8", "terms and fields in code", "`deployment`와 `DaemonSet`, `replicas`\n", []string{`data-offer="kubectl explain deployment.spec.replicas"`, `data-term="deployment"><code>deployment</code>`, `data-term="daemonset"><code>DaemonSet</code>`}, nil},
	{"L9", "words nobody linked", "# 글\n\nservice\n", []string{`class="term" data-term="service"`}, []string{"term wiki"}},
	{"L10", "slips", "kubetcl get mainfest, Celium\n", []string{"perhaps a slip: kubetcl", "<code class=\"note-rather\">Cilium</code>", "kubetcl get mainfest, Celium"}, nil},
	{"L11", "what is outdated", "k8s.gcr.io --insecure-port dockershim userspace ipvs\n", []string{"frozen since April 2023", "removed in 1.24", "lost this mode in 1.26", "deprecated in 1.35"}, nil},
	{"L12", "questions", "파드는 왜 필요할까?\n", []string{`<span class="note-kind">question</span>`, `href="/en/search?q=%ED%8C%8C%EB%93%9C"`}, nil},
	// Commands.
	{"C1", "a command in the text", "`kubectl get namespaces`\n", []string{"<code>kubectl get namespaces</code>"}, nil},
	{"C2", "places to fill in", "```sh\nkubectl logs POD_NAME -c <container-name>\n```\n", []string{`data-blank="POD_NAME"`, `data-blank="&lt;container-name&gt;"`}, nil},
	{"C3", "what runs until it is stopped", "```sh\nkubectl port-forward POD_NAME 8888:8080\n```\n", []string{"runs until it is stopped", `data-blank="POD_NAME"`}, nil},
	{"C4", "a prompt and what was printed", "docker@minikube:~$ kubectl get ns\nNAME      STATUS   AGE\ndefault   Active   3d\n", []string{`data-now="kubectl get ns"`, "data-then=\"NAME      STATUS   AGE\ndefault   Active   3d\""}, nil},
	{"C5", "a command broken by hand", "a@b:~$ sudo ETCDCTL_API=3 ./etcdctl --cacert\n/etc/ca.crt --key\n/etc/key put key1 value1 # 넣는다\nOK\n", []string{"<code>etcdctl put key1 value1</code>", "넣는다", `data-key="key1"`}, nil},
	{"C6", "what was printed is not run", "$ etcdctl get key1\nkey1\nvalue1\n", []string{"<code>etcdctl get key1</code>"}, []string{"<code>key1</code>"}},
	{"C7", "who owns the rows of a table", "$ kubectl get pod -n kube-system\nNAME   READY\ncoredns-74ff55c5b-6xcjg   1/1\nkube-proxy-9t4xq   1/1\n", []string{`data-object="pods/kube-system/coredns-74ff55c5b-6xcjg"`, `data-term="replicaset"`, "<code>coredns-74ff55c5b</code>", `data-term="daemonset"`}, nil},
	{"C8", "commands of another world", "$ minikube start\n$ docker ps\n$ wget https://a/b\n", []string{"the cluster runs already", "there is no Docker here", "a command of another computer"}, nil},
	{"C9", "what deletes", "$ kubectl drain node-1\n$ etcdctl del /registry/x\n", []string{`data-does="removes"`, `<span class="mark">deletes</span>`}, nil},
	{"C10", "a comment is a caption", "$ kubectl get ns # 이름공간\n", []string{`<span class="contents-wave">이름공간</span>`}, nil},
	{"C11", "a file fetched and unpacked by another name", "$ wget https://a/etcd-linux-arm64.tar.gz\n$ tar -xf etcd-linuxarm64.tar.gz\n", []string{"perhaps a slip: etcd-linuxarm64.tar.gz"}, nil},
	// YAML.
	{"Y1", "a manifest that does not decode, by line", "글\n\n```yaml\napiVersion: v1\nkind: Pod\nmetadata:\n  name: a\nspec:\n  containers:\n    - image: nginx\n    name: a\n```\n", []string{"line 11: this YAML does not say"}, nil},
	{"Y2", "how it was meant", "```yaml\napiVersion: v1\nkind: Pod\nspec:\n  containers:\n    - image: nginx\n    name: a\n```\n", []string{"<del>-     name: a</del>", "<ins>+       name: a</ins>"}, nil},
	{"Y3", "four spaces", "```yaml\napiVersion: v1\nkind: Pod\nspec:\n    containers:\n        - name: a\n```\n", []string{"data-manifest"}, []string{"does not say"}},
	{"Y4", "comments stay", "```yaml\napiVersion: v1\n# 한글 주석\n\nkind: Pod\n```\n", []string{"# 한글 주석"}, nil},
	{"Y5", "a manifest on one line", "apiVersion: v1 kind: Pod metadata: name: web spec: containers: - name: web image: nginx\n", []string{"rebuilt from its words", "  kind: Pod\n", "line breaks were lost"}, nil},
	{"Y6", "what a server adds", "```yaml\napiVersion: v1\nkind: Pod\nmetadata:\n  creationTimestamp: null\nstatus: {}\n```\n", []string{"creationTimestamp: null\nstatus: {}</code>", "data-manifest=\"apiVersion: v1\nkind: Pod\nmetadata:\""}, []string{"does not say"}},
	{"Y7", "images that others stand in for", "```yaml\napiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - image: ianhellozin/simple-server # 서버\n    name: a\n```\n", []string{"a built-in program stands in for", "<code>ianhellozin/simple-server</code>"}, nil},
	{"Y8", "several documents and lists", "```yaml\napiVersion: v1\nkind: Pod\n---\napiVersion: v1\nkind: List\nitems: []\n```\n", []string{"data-manifest"}, []string{"does not say"}},
	{"Y9", "tabs, words and numbers", "```yaml\napiVersion: v1\nkind: ConfigMap\ndata:\n  a: yes\n  b: 1.10\n  c: 0644\n  b: 2\n```\n", []string{`<code class="note-rather">&#34;yes&#34;</code>`, `<code class="note-rather">&#34;1.10&#34;</code>`, `<code class="note-rather">&#34;0644&#34;</code>`, "already set"}, nil},
	{"Y10", "a console in a fence without a name", "```\n# 시작\nkubectl get ns\n```\n", []string{"<code>kubectl get ns</code>"}, []string{"<h3"}},
	{"Y11", "YAML without a fence", "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n", []string{"data-manifest"}, nil},
	{"Y12", "versions that are gone", "```yaml\napiVersion: batch/v1beta1\nkind: CronJob\n```\n", []string{"older than this cluster: batch/v1beta1", `<code class="note-rather">batch/v1</code>`}, nil},
	{"S1", "every block has an anchor", "# 가\n\n글\n\n- 나\n", []string{`id="note-가"`, `id="note-가:2"`, `id="note-가:4"`}, nil},
}

// notDone are the cases that are told in words only, or not at all.
var notDone = map[string]string{
	"C3": "marked; it opens a port of this computer, so the page does not run it and says how to",
	"C9": "marked and put into the console, where a person runs it; the cluster is not saved before",
	"L1": "what has no note is marked; files are only read, so no note is made",
}

func TestCasesOfNotes(t *testing.T) {
	dir := t.TempDir()
	png := []byte("\x89PNG\r\n\x1a\n…")
	if err := os.MkdirAll(filepath.Join(dir, "img", "post"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "img", "post", "pod.png"), png, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range noteCases {
		if err := os.WriteFile(filepath.Join(dir, c.id+".md"), []byte(c.note), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	folder, err := notes.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { folder.Close() })
	s := serve(t, func(c *Config, _ *limits) { c.Notes = folder })
	for _, c := range noteCases {
		result := "done"
		if why := notDone[c.id]; why != "" {
			result = "in part: " + why
		}
		code, body := fetch(t, s.url("/en/notes/"+c.id+".md"))
		_, page, _ := strings.Cut(body, `class="chapter own-note"`)
		page, _, _ = strings.Cut(page, "</article>")
		for _, want := range c.holds {
			if !strings.Contains(page, want) {
				result = "FAILED"
				t.Errorf("%s %s: %d, and the page lacks %s", c.id, c.what, code, want)
			}
		}
		for _, never := range c.lacks {
			if strings.Contains(page, never) {
				result = "FAILED"
				t.Errorf("%s %s: the page holds %s", c.id, c.what, never)
			}
		}
		if result == "FAILED" {
			t.Logf("%s:\n%s", c.id, page)
		}
		if _, back := fetch(t, s.url("/api/notes/"+c.id+".md")); !bytes.Equal([]byte(back), []byte(c.note)) {
			t.Errorf("%s is given back as %q", c.id, back)
		}
		t.Logf("%-4s %-45s %s", c.id, c.what, result)
	}

	res, err := http.Get(s.url("/api/pictures/img/post/pod.png"))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != 200 || !bytes.Equal(body, png) || res.Header.Get("Content-Type") != "image/png" || !strings.Contains(res.Header.Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("the picture: %d %v", res.StatusCode, res.Header)
	}
	for path, want := range map[string]int{"../notes_test.go": 400, "%2e%2e/x.png": 400, "P22.md": 400, "img/gone.png": 404} {
		if code, _ := fetch(t, s.url("/api/pictures/"+path)); code != want {
			t.Errorf("/api/pictures/%s: %d, want %d", path, code, want)
		}
	}
}
