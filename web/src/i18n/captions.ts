// One sentence for an event, in both languages, made from the event alone and
// what caused it. It says what the log shows, and calls inferred what is.
import type { Lang } from "../app.ts";
import { actorOf } from "../model/actor.ts";
import type { Decision } from "../model/decision.ts";
import { passageOf } from "../model/gates.ts";
import { type PodValue, podView } from "../model/pod.ts";
import type { KubeEvent } from "../wire/event.ts";
import { type Both, pick } from "./lang.ts";
import { withParticle as w } from "./particle.ts";
import { asked } from "./requests.ts";
import { actorName, capital, codeWords, kindsName, objectName } from "./words.ts";

export interface Told {
  /** The events of one step: one, or all notifications of one revision. */
  events: readonly KubeEvent[];
  event(seq: number): KubeEvent | undefined;
}

export function caption(lang: Lang, told: Told): string {
  const e = told.events[told.events.length - 1];
  if (!e) return "";
  switch (e.kind) {
    case "request":
      return request(lang, e);
    case "etcd":
      return etcd(lang, e);
    case "watch":
      return watch(lang, told.events);
    case "schedule":
      return schedule(lang, e);
    case "cri":
      return cri(lang, e);
    case "component":
      return component(lang, e);
    case "probe":
      return probe(lang, e);
    case "net":
      return net(lang, e);
    case "link":
      return link(lang, e);
    case "span":
      return span(lang, e);
    case "source":
      return source(lang, e);
    default:
      return fallback(lang, e);
  }
}

const say = (lang: Lang, en: string, ko: string): string => (lang === "ko" ? ko : en);

/** Who did what, in the words of the log: for what no sentence is known. */
export function fallback(lang: Lang, e: KubeEvent): string {
  const who = actorName(lang, actorOf(e.from));
  const what = e.object ? objectName(lang, e.object) : "";
  return say(
    lang,
    `${capital(who)}: ${e.kind} ${e.verb}${what ? `, ${what}` : ""}.`,
    `${who}: ${e.kind} ${e.verb}${what ? `, ${what}` : ""}.`,
  );
}

function agentOf(e: KubeEvent): string {
  return typeof e.detail?.userAgent === "string" ? e.detail.userAgent : "";
}

/* Requests */

function request(lang: Lang, e: KubeEvent): string {
  const told = asked(lang, e) ?? fallback(lang, e);
  if (e.detail?.dryRun === true) {
    return say(
      lang,
      `${told} It is a dry run: nothing is stored.`,
      `${told} 시험 실행(dry run)이라 아무것도 저장되지 않습니다.`,
    );
  }
  const code = e.code ?? 0;
  return code >= 400 ? `${told} ${refusal(lang, e, code)}` : told;
}

const gateWords: Record<string, Both> = {
  authn: ["Authentication turns it back", "인증(authentication) 관문이 돌려보냅니다"],
  authz: ["Authorization turns it back", "인가(authorization) 관문이 돌려보냅니다"],
  admission: ["Admission turns it back", "어드미션(admission) 관문이 돌려보냅니다"],
  validation: ["Validation turns it back", "검증(validation) 관문이 돌려보냅니다"],
  storage: ["Storage turns it back", "저장(storage) 단계가 돌려보냅니다"],
  decode: ["It cannot be decoded", "내용을 해석할 수 없어 돌려보냅니다"],
  flow: ["Flow control turns it back", "흐름 제어가 돌려보냅니다"],
  unknown: ["It fails; the log does not say at which gate", "실패합니다. 어느 관문인지는 로그에 없습니다"],
};

function refusal(lang: Lang, e: KubeEvent, code: number): string {
  const at = passageOf(e).at ?? "unknown";
  if (code === 404 && at === "storage") {
    return say(lang, `There is no such object: ${codeWords(code)}.`, `그런 오브젝트가 없습니다. ${codeWords(code)}.`);
  }
  const where = gateWords[at]!;
  const message = typeof e.detail?.message === "string" ? e.detail.message : "";
  const short = message.length > 160 ? `${message.slice(0, 157)}…` : message;
  const tail = short ? `: ${short}` : "";
  return say(lang, `${where[0]} with ${codeWords(code)}${tail}`, `${where[1]}. ${codeWords(code)}${tail}`);
}

/* etcd */

function etcd(lang: Lang, e: KubeEvent): string {
  const rev = e.revision ?? "?";
  const key = String(e.detail?.key ?? "");
  const what = e.object ? objectName(lang, e.object) : key;
  if (e.verb === "delete") {
    return say(
      lang,
      `etcd removes ${what}: revision ${rev}.`,
      `etcd가 ${w(what, "을")} 지웁니다. 리비전(revision) ${rev}.`,
    );
  }
  const now = podNow(lang, e);
  if (e.verb === "range") {
    return say(
      lang,
      `etcd holds ${what} already, since revision ${rev}.`,
      `etcd에 ${w(what, "이")} 이미 있습니다. 리비전(revision) ${rev}부터입니다.`,
    );
  }
  return e.detail?.version === 1
    ? say(
        lang,
        `The kube-apiserver writes ${what} to etcd: revision ${rev}.`,
        `kube-apiserver가 ${w(what, "을")} etcd에 기록합니다. 리비전(revision) ${rev}.`,
      )
    : say(
        lang,
        `The kube-apiserver writes the changed ${what} to etcd: revision ${rev}.${now}`,
        `kube-apiserver가 바뀐 ${w(what, "을")} etcd에 기록합니다. 리비전(revision) ${rev}.${now}`,
      );
}

/** What the stored pod says of itself. */
function podNow(lang: Lang, e: KubeEvent): string {
  if (e.object?.resource !== "pods" || e.object.group || !e.detail?.value) return "";
  const p = podView("", e.detail.value as PodValue, e.seq);
  if (p.phase === "ready") return say(lang, " It is ready.", " 이제 준비(Ready)되었습니다.");
  if (p.phase === "creating" && p.node) return say(lang, ` Its place is ${p.node}.`, ` 자리는 ${p.node}입니다.`);
  return say(lang, ` It says: ${p.says}.`, ` 상태는 ${p.says}입니다.`);
}

/* Watch */

const deeds: Record<string, Both> = {
  ADDED: ["is new", "새로 생겼다고"],
  MODIFIED: ["changed", "바뀌었다고"],
  DELETED: ["is gone", "없어졌다고"],
};

function watch(lang: Lang, events: readonly KubeEvent[]): string {
  const e = events[events.length - 1]!;
  const what = e.object ? objectName(lang, e.object) : "";
  const to = e.to ? actorName(lang, actorOf(e.to), agentOf(e)) : "";
  if (e.verb === "BOOKMARK" && e.object) {
    const n = Number(e.detail?.listed ?? 0);
    const kinds = kindsName(lang, e.object.resource);
    return say(
      lang,
      `The kube-apiserver tells ${to}, who begins to watch, of all ${kinds} there are (${n}).`,
      `kube-apiserver가 지켜보기 시작한 ${to}에 지금 있는 ${w(kinds, "을")} 모두 알립니다(${n}개).`,
    );
  }
  const verbs = new Set(events.map((x) => x.verb));
  const deed = deeds[verbs.size === 1 ? e.verb : "MODIFIED"] ?? deeds.MODIFIED!;
  const heard = [...new Set(events.map((x) => actorName(lang, actorOf(x.to ?? ""), agentOf(x))))];
  if (!e.to)
    return say(lang, `${capital(what)} ${deed[0]}.`, `${w(what, "이")} ${deed[1].replace(/고$/, "는 소식입니다")}.`);
  const some =
    heard.length > 3
      ? [...heard.slice(0, 2), say(lang, `${heard.length - 2} others`, `그 밖의 ${heard.length - 2}곳`)]
      : heard;
  return say(
    lang,
    `The kube-apiserver tells ${joinEn(some)}, who ${heard.length > 1 ? "watch" : "watches"}, that ${what} ${deed[0]}.`,
    `kube-apiserver가 지켜보던 ${some.join(", ")}에게 ${w(what, "이")} ${deed[1]} 알립니다.`,
  );
}

function joinEn(names: string[]): string {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names[names.length - 1]}`;
}

/* Scheduler */

function schedule(lang: Lang, e: KubeEvent): string {
  const d = (e.detail ?? {}) as Decision;
  const what = e.object ? objectName(lang, e.object) : "";
  if (d.result === "scheduled") {
    const feasible = d.feasible ?? 0;
    const seen = d.evaluated ?? d.nodes?.length ?? 0;
    const best = d.nodes?.find((n) => n.name === d.node);
    if (feasible === 1) {
      return say(
        lang,
        `kube-scheduler chooses ${d.node} for ${what}: the only one of ${seen} nodes that passed the filters, so nothing was scored.`,
        `kube-scheduler가 ${what}의 자리로 ${w(d.node ?? "", "을")} 고릅니다. 노드 ${seen}개 중 하나만 필터를 통과해서 점수를 매기지 않았습니다.`,
      );
    }
    const passed = say(
      lang,
      `${feasible} of ${seen} nodes passed the filters`,
      `노드 ${seen}개 중 ${feasible}개가 필터를 통과했고`,
    );
    const points = best?.total;
    if (points === undefined) {
      return say(
        lang,
        `kube-scheduler chooses ${d.node} for ${what}: ${passed}.`,
        `kube-scheduler가 ${what}의 자리로 ${w(d.node ?? "", "을")} 고릅니다. 노드 ${seen}개 중 ${feasible}개가 필터를 통과했습니다.`,
      );
    }
    const equal = (d.nodes ?? []).filter((n) => n.total === points).length;
    const top = Math.max(...(d.nodes ?? []).map((n) => n.total ?? Number.NEGATIVE_INFINITY));
    const rank =
      points < top
        ? say(lang, `${d.node} has ${points} points`, `${w(d.node ?? "", "은")} ${points}점입니다`)
        : equal > 1
          ? say(
              lang,
              `${equal} of them share the best score of ${points}, and it takes one of these`,
              `그 가운데 ${equal}개가 똑같이 가장 높은 ${points}점이라 그중 하나를 골랐습니다`,
            )
          : say(
              lang,
              `${d.node} has the most points, ${points}`,
              `${w(d.node ?? "", "이")} ${points}점으로 가장 높습니다`,
            );
    return say(
      lang,
      `kube-scheduler chooses ${d.node} for ${what}: ${passed}; ${rank}.`,
      `kube-scheduler가 ${what}의 자리로 ${w(d.node ?? "", "을")} 고릅니다. ${passed} ${rank}.`,
    );
  }
  const why = d.message ? `: ${d.message}` : ".";
  return d.result === "error"
    ? say(
        lang,
        `kube-scheduler fails to place ${what}${why}`,
        `kube-scheduler가 ${w(what, "을")} 배정하지 못합니다. 오류가 났습니다${why}`,
      )
    : say(
        lang,
        `kube-scheduler finds no node for ${what}${why}`,
        `kube-scheduler가 ${w(what, "을")} 둘 노드를 찾지 못합니다${why}`,
      );
}

/* Node */

function cri(lang: Lang, e: KubeEvent): string {
  const d = (e.detail ?? {}) as Record<string, unknown>;
  const node = String(d.node ?? actorOf(e.from).node ?? "");
  const pod = e.object ? objectName(lang, e.object) : "";
  const kubelet = actorName(lang, actorOf(e.from));
  const K = capital(kubelet);
  const KI = w(kubelet, "이");
  const c = String(d.containerName ?? "");
  const image = String(d.image ?? "");
  const error = d.error ? String(d.error) : "";
  const failed = error || (e.code ?? 0) > 0;
  const tail = failed
    ? say(lang, ` It fails: ${error || `code ${e.code}`}`, ` 실패합니다: ${error || `코드 ${e.code}`}`)
    : "";
  const told = ((): string => {
    switch (e.verb) {
      case "RunPodSandbox": {
        const ip = d.ip ? say(lang, ` It gets the address ${d.ip}.`, ` 주소는 ${d.ip}입니다.`) : "";
        return say(
          lang,
          `${K} has the runtime make a sandbox for ${pod}.${ip}`,
          `${KI} 런타임에 ${pod}의 샌드박스를 만들게 합니다.${ip}`,
        );
      }
      case "PullImage":
        return say(
          lang,
          `${K} has the runtime pull the image ${image}.`,
          `${KI} 런타임에 ${image} 이미지를 가져오게 합니다.`,
        );
      case "CreateContainer":
        return say(lang, `${K} has container ${c} of ${pod} created.`, `${KI} ${pod}의 ${c} 컨테이너를 만들게 합니다.`);
      case "StartContainer":
        return say(
          lang,
          `${K} has container ${c} of ${pod} started.`,
          `${KI} ${pod}의 ${c} 컨테이너를 시작하게 합니다.`,
        );
      case "StopContainer":
        return say(lang, `${K} has container ${c} of ${pod} stopped.`, `${KI} ${pod}의 ${c} 컨테이너를 멈추게 합니다.`);
      case "RemoveContainer":
        return say(lang, `${K} has container ${c} of ${pod} removed.`, `${KI} ${pod}의 ${c} 컨테이너를 치우게 합니다.`);
      case "StopPodSandbox":
        return say(lang, `${K} has the sandbox of ${pod} stopped.`, `${KI} ${pod}의 샌드박스를 멈추게 합니다.`);
      case "RemovePodSandbox":
        return say(lang, `${K} has the sandbox of ${pod} removed.`, `${KI} ${pod}의 샌드박스를 치우게 합니다.`);
      case "ContainerExited": {
        const code = d.exitCode ?? "?";
        const reason = d.reason ? ` (${d.reason})` : "";
        return say(
          lang,
          `Container ${c} of ${pod} on ${node} ended with exit code ${code}${reason}.`,
          `${node}에서 ${pod}의 ${c} 컨테이너가 종료 코드 ${w(String(code), "로")} 끝났습니다${reason}.`,
        );
      }
      case "Exec":
      case "Attach":
      case "PortForward":
        return say(
          lang,
          `${K} opens a stream into ${pod} (${e.verb}).`,
          `${KI} ${pod}로 통하는 스트림을 엽니다(${e.verb}).`,
        );
      case "ExecSync":
        return say(
          lang,
          `${K} has a command run in container ${c} of ${pod}, for a probe or a hook.`,
          `${KI} ${pod}의 ${c} 컨테이너 안에서 명령을 실행하게 합니다. 프로브나 훅을 위한 것입니다.`,
        );
      case "ImageStatus":
        return say(
          lang,
          `${K} asks the runtime whether the image ${image} is there.`,
          `${KI} 런타임에 ${image} 이미지가 있는지 묻습니다.`,
        );
      case "UpdateContainerResources":
        return say(
          lang,
          `${K} has the runtime change what container ${c} of ${pod} may use.`,
          `${KI} 런타임에 ${pod}의 ${c} 컨테이너가 쓸 수 있는 리소스를 바꾸게 합니다.`,
        );
      case "ReopenContainerLog":
        return say(
          lang,
          `${K} has the log of container ${c} of ${pod} opened anew.`,
          `${KI} ${pod}의 ${c} 컨테이너 로그를 새로 열게 합니다.`,
        );
      case "RemoveImage":
        return say(lang, `${K} has the image ${image} removed.`, `${KI} ${image} 이미지를 치우게 합니다.`);
      default:
        return fallback(lang, e);
    }
  })();
  return told + tail;
}

const probed: Record<string, Both> = {
  startup: ["has it started?", "시작했는가?"],
  readiness: ["is it ready?", "준비되었는가?"],
  liveness: ["is it alive?", "살아 있는가?"],
};
const results: Record<string, Both> = {
  success: ["It succeeds.", "성공합니다."],
  warning: ["It succeeds with a warning.", "경고와 함께 성공합니다."],
  failure: ["It fails.", "실패합니다."],
  unknown: ["It could not be asked.", "물어볼 수 없었습니다."],
};

function probe(lang: Lang, e: KubeEvent): string {
  const d = e.detail ?? {};
  const result = results[String(d.result)];
  const how = { httpGet: "HTTP", tcpSocket: "TCP", grpc: "gRPC" }[e.verb];
  if (!result || !how) return fallback(lang, e);
  const who = actorName(lang, actorOf(e.from));
  const pod = e.object ? objectName(lang, e.object) : "";
  const questions = (Array.isArray(d.probes) ? d.probes.map(String) : [])
    .map((p) => (probed[p] ? `${p}: ${pick(lang, probed[p])}` : p))
    .join(" ");
  return say(
    lang,
    `${capital(who)} probes container ${d.container} of ${pod} by ${how} (${questions}). ${result[0]}`,
    `${w(who, "이")} ${how} 프로브로 ${pod}의 ${d.container} 컨테이너에 묻습니다(${questions}). ${result[1]}`,
  );
}

/* The pod network, as far as there is one */

function net(lang: Lang, e: KubeEvent): string {
  const d = e.detail ?? {};
  const pod = e.object?.name ? objectName(lang, e.object) : "";
  const who = pod
    ? say(lang, `A program in ${pod}`, `${pod} 안의 프로그램`)
    : say(lang, `A program on ${d.node ?? "a node"}`, `${d.node ?? "노드"}의 프로그램`);
  if (e.verb === "lookup") {
    const name = String(d.name ?? "");
    const answer = Array.isArray(d.answer) && d.answer.length ? d.answer.join(", ") : String(d.result ?? "");
    return say(
      lang,
      `${who} asks the cluster's DNS for ${name}: ${answer}.`,
      `${w(who, "이")} 클러스터 DNS에 ${w(name, "을")} 묻습니다. 답: ${answer}.`,
    );
  }
  const target = String(d.target ?? "");
  const chosen = d.endpoint && d.endpoint !== target ? String(d.endpoint) : "";
  const failed = d.result && d.result !== "connected" ? String(d.result) : "";
  const en = `${who} connects to ${target}${d.service ? `, the Service ${d.service}` : ""}${chosen ? `, and reaches ${chosen}` : ""}${failed ? `: ${failed}` : ""}.`;
  const ko = `${w(who, "이")} ${target}${d.service ? `(서비스 ${d.service})` : ""}에 연결합니다.${chosen ? ` 실제로 연결된 곳: ${chosen}.` : ""}${failed ? ` 결과: ${failed}.` : ""}`;
  return say(lang, en, ko);
}

/* Processes and sources */

export function componentName(lang: Lang, id: string): string {
  const a = actorOf(id);
  return a.role === "kubelet" ? actorName(lang, a) : a.role === "controllers" || a.role === "person" ? id : a.name;
}

function component(lang: Lang, e: KubeEvent): string {
  const name = componentName(lang, e.to ?? "");
  const N = capital(name);
  const d = e.detail ?? {};
  switch (e.verb) {
    case "starting": {
      const again = Number(d.restarts ?? 0) > 0;
      const needs = Array.isArray(d.needs) && d.needs.length ? d.needs.map(String) : [];
      if (again) return say(lang, `${N} starts again.`, `${w(name, "이")} 다시 시작합니다.`);
      return needs.length
        ? say(
            lang,
            `${N} starts; it needs ${joinEn(needs)}.`,
            `${w(name, "이")} 시작합니다. 필요한 것: ${needs.join(", ")}.`,
          )
        : say(lang, `${N} starts.`, `${w(name, "이")} 시작합니다.`);
    }
    case "ready":
      return say(lang, `${N} is ready.`, `${w(name, "이")} 준비되었습니다.`);
    case "exited":
      return say(lang, `${N} has ended: ${d.exit ?? "?"}.`, `${w(name, "이")} 끝났습니다: ${d.exit ?? "?"}.`);
    case "backoff":
      return say(
        lang,
        `${N} will be started again in ${d.wait ?? "?"} s.`,
        `${w(name, "을")} ${d.wait ?? "?"}초 뒤에 다시 시작합니다.`,
      );
    case "stopping":
      return say(lang, `${N} is being stopped.`, `${w(name, "을")} 멈추는 중입니다.`);
    case "stopped":
      return say(lang, `${N} has stopped.`, `${w(name, "이")} 멈췄습니다.`);
    case "killed":
      return say(
        lang,
        `${N} is killed: its process ends at once.`,
        `${w(name, "을")} 강제로 끝냅니다(kill). 프로세스가 곧바로 끝납니다.`,
      );
    case "frozen":
      return say(
        lang,
        `${N} is frozen: its process is still there, but does nothing.`,
        `${w(name, "을")} 얼립니다. 프로세스는 남아 있지만 아무 일도 하지 않습니다.`,
      );
    case "thawed":
      return say(
        lang,
        `${N} thaws and goes on where it was.`,
        `${w(name, "이")} 다시 움직입니다. 멈췄던 곳에서 이어 갑니다.`,
      );
    default:
      return fallback(lang, e);
  }
}

/** Whose way to whom a link is: "the kubelet of node-2", "the kube-apiserver". */
export function linkEnds(lang: Lang, name: string): [string, string] {
  if (name === "etcd") return ["kube-apiserver", "etcd"];
  return [name === "kubestage" ? "Kubestage" : componentName(lang, name), "kube-apiserver"];
}

function link(lang: Lang, e: KubeEvent): string {
  const [a, b] = linkEnds(lang, String(e.detail?.link ?? e.to ?? ""));
  const A = capital(a);
  switch (e.verb) {
    case "cut":
      return say(
        lang,
        `${A} is cut off from ${b}: nothing gets through, in neither direction.`,
        `${w(a, "과")} ${b} 사이가 끊깁니다. 어느 쪽으로도 아무것도 지나가지 못합니다.`,
      );
    case "delayed": {
      const ms = Math.round(Number(e.detail?.delay ?? 0) * 1000);
      return say(
        lang,
        `Everything between ${a} and ${b} now takes ${ms} ms longer.`,
        `${w(a, "과")} ${b} 사이의 모든 것이 이제 ${ms}밀리초씩 늦어집니다.`,
      );
    }
    case "healed":
      return say(lang, `${A} reaches ${b} again.`, `${w(a, "이")} ${b}에 다시 닿습니다.`);
    default:
      return fallback(lang, e);
  }
}

function span(lang: Lang, e: KubeEvent): string {
  const what = e.object ? objectName(lang, e.object) : "";
  const steps = Array.isArray(e.detail?.steps) ? e.detail.steps.length : 0;
  return say(
    lang,
    `What a request${what ? ` for ${what}` : ""} went through inside the kube-apiserver: ${steps} steps.`,
    `${what ? `${what}에 대한 ` : ""}요청이 kube-apiserver 안에서 거친 ${steps}단계입니다.`,
  );
}

function source(lang: Lang, e: KubeEvent): string {
  const what = e.object ? kindsName(lang, e.object.resource) : "";
  const message = e.detail?.message ? `: ${e.detail.message}` : ".";
  switch (e.verb) {
    case "connected":
      return say(
        lang,
        `Kubestage sees the cluster${what ? `'s ${what}` : ""}${message}`,
        `Kubestage가 클러스터${what ? `의 ${w(what, "을")}` : "를"} 봅니다${message}`,
      );
    case "disconnected":
      return say(
        lang,
        `Kubestage has lost sight of ${what || "the cluster"}${message}`,
        `Kubestage가 ${w(what || "클러스터", "을")} 볼 수 없게 되었습니다${message}`,
      );
    case "denied":
      return say(
        lang,
        `Kubestage may not look at ${what || "this"}${message}`,
        `Kubestage에는 ${w(what || "이것", "을")} 볼 권한이 없습니다${message}`,
      );
    case "gap":
      return say(lang, `Something may be missing here${message}`, `여기서 빠진 것이 있을 수 있습니다${message}`);
    default:
      return fallback(lang, e);
  }
}

/** How an event is known, in words. */
export function evidenceWords(lang: Lang, e: KubeEvent): string {
  const observed = e.evidence.how === "observed";
  const how = say(lang, observed ? "observed" : "inferred", observed ? "관찰됨" : "추론됨");
  const sources: Record<string, Both> = {
    audit: ["audit log", "감사 로그"],
    etcd: ["etcd", "etcd"],
    scheduler: ["scheduler", "스케줄러"],
    cri: ["CRI", "CRI"],
    supervisor: ["supervisor", "감독 프로세스"],
    client: ["watch of our own", "직접 지켜본 것"],
    managedFields: ["managedFields", "managedFields"],
    ownerReference: ["its owner", "소유자"],
    nodeName: ["the pod's nodeName", "파드의 nodeName"],
    events: ["an Event about it", "관련 이벤트"],
    conditions: ["the pod's conditions", "파드의 컨디션"],
    finalizers: ["its finalizers", "파이널라이저"],
    deletionTimestamp: ["its deletionTimestamp", "deletionTimestamp"],
    namespace: ["its namespace's end", "네임스페이스의 끝"],
    link: ["the client's own connection", "클라이언트의 연결"],
    otel: ["tracing inside the kube-apiserver", "kube-apiserver 내부 추적"],
    prober: ["prober", "프로버"],
  };
  const s = sources[e.evidence.source];
  const from = s ? say(lang, s[0], s[1]) : e.evidence.source;
  return `${how} · ${from}${e.evidence.id ? ` ${e.evidence.id}` : ""}`;
}
