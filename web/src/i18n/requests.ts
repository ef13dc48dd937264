// What a request asks for, in a sentence: actor, verb, resource, subresource
// and, where the audit log has it, what the body says. The first of the deeds
// below that fits tells it; the last of them fit every verb there is.
import type { Lang } from "../app.ts";
import { actorOf, type Role } from "../model/actor.ts";
import type { KubeEvent, KubeObject } from "../wire/event.ts";
import type { Both } from "./lang.ts";
import { type Particle, withParticle } from "./particle.ts";
import { actorName, capital, kindName, kindsName, objectName } from "./words.ts";

type Facts = Record<string, string | Both>;

interface Deed {
  verb?: readonly string[];
  resource?: string | readonly string[];
  /** A subresource; "" for none. Left out: whatever it is. */
  sub?: string;
  role?: Role;
  /** The actor's short name: "node-controller". */
  by?: string;
  /** Looks further, and gives what the sentence needs; null when it is not this deed after all. */
  facts?(body: Body, e: KubeEvent): Facts | null;
  /** {who} and {what} are always there; "{what:을}" is with the particle that fits. */
  says: Both;
}

const writing = ["update", "patch", "apply"];
const reading = ["get", "list", "head", "options"];

/** A request's body as the audit log has it, looked into without believing any of it. */
class Body {
  constructor(readonly value: unknown) {}
  at(path: string): Body {
    let v = this.value;
    for (const name of path.split("."))
      v = typeof v === "object" && v !== null ? (v as Record<string, unknown>)[name] : undefined;
    return new Body(v);
  }
  get text(): string {
    return typeof this.value === "string" || typeof this.value === "number" ? String(this.value) : "";
  }
  get number(): number | undefined {
    return typeof this.value === "number" ? this.value : undefined;
  }
  get list(): Body[] {
    return Array.isArray(this.value) ? this.value.map((v) => new Body(v)) : [];
  }
  get there(): boolean {
    return this.value !== undefined;
  }
}

const cut = (text: string, most = 140) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

const conditionOf = (status: Body, type: string) =>
  status.at("conditions").list.find((c) => c.at("type").text === type);

/** How many of how many, for the status of what holds Pods. */
const ready = (have: string, want: string) => (b: Body) => {
  const of = b.at(`status.${want}`).number;
  return of === undefined ? null : { n: String(b.at(`status.${have}`).number ?? 0), of: String(of) };
};

const deeds: readonly Deed[] = [
  /* Leases */
  {
    verb: writing,
    resource: "leases",
    role: "kubelet",
    says: ["{who} renews its Lease: it is alive.", "{who:이} 자기 리스(Lease)를 갱신합니다. 살아 있다는 신호입니다."],
  },
  {
    verb: ["create"],
    resource: "leases",
    role: "kubelet",
    says: [
      "{who} creates its Lease, which it will renew as long as it lives.",
      "{who:이} 자기 리스(Lease)를 만듭니다. 살아 있는 동안 갱신할 것입니다.",
    ],
  },
  {
    verb: writing,
    resource: "leases",
    role: "apiserver",
    says: [
      "{who} renews its own Lease {name}: it is alive.",
      "{who:이} 자기 리스(Lease) {name:을} 갱신합니다. 살아 있다는 신호입니다.",
    ],
  },
  {
    verb: writing,
    resource: "leases",
    facts: (b) => (b.at("spec.holderIdentity").text ? {} : null),
    says: [
      "{who} renews the Lease {name}: it stays the leader.",
      "{who:이} 리스(Lease) {name:을} 갱신합니다. 리더로 남습니다.",
    ],
  },
  {
    verb: ["create"],
    resource: "leases",
    says: ["{who} asks to create the Lease {name}.", "{who:이} 리스(Lease) {name:을} 만들어 달라고 요청합니다."],
  },

  /* Events */
  {
    verb: ["create"],
    resource: "events",
    facts(b) {
      const about = b.at("involvedObject").there ? b.at("involvedObject") : b.at("regarding");
      const reason = b.at("reason").text;
      const note = b.at("message").text || b.at("note").text;
      if (!reason) return null;
      return {
        about: [about.at("kind").text, about.at("name").text].filter(Boolean).join(" "),
        reason,
        note: cut(note),
      };
    },
    says: [
      "{who} writes an Event about {about}: {reason}. {note}",
      "{who:이} {about}에 관한 이벤트(Event)를 적습니다: {reason}. {note}",
    ],
  },
  {
    verb: writing,
    resource: "events",
    facts: (b) =>
      b.at("count").text
        ? { n: b.at("count").text }
        : b.at("series.count").text
          ? { n: b.at("series.count").text }
          : null,
    says: [
      "{who} counts an Event once more: {n} times by now.",
      "{who:이} 같은 이벤트(Event)를 한 번 더 셉니다. 지금까지 {n}번입니다.",
    ],
  },

  /* Pods */
  {
    verb: ["create"],
    resource: "pods",
    sub: "binding",
    facts: (b) => (b.at("target.name").text ? { node: b.at("target.name").text } : null),
    says: ["{who} binds {what} to {node}.", "{who:이} {what:을} {node}에 배정(binding)합니다."],
  },
  {
    verb: ["create"],
    resource: "pods",
    sub: "binding",
    says: ["{who} binds {what} to a node.", "{who:이} {what:을} 한 노드에 배정(binding)합니다."],
  },
  {
    verb: ["create"],
    resource: "pods",
    sub: "",
    role: "kubelet",
    says: [
      "{who} tells the kube-apiserver of its static Pod {name}: a mirror Pod.",
      "{who:이} 스태틱 파드 {name:을} kube-apiserver에 알립니다. 이것을 미러 파드(mirror pod)라고 합니다.",
    ],
  },
  {
    verb: ["create"],
    sub: "",
    role: "controllers",
    facts(b, e) {
      const owner = b.at("metadata.ownerReferences").list.find((o) => o.at("controller").value === true);
      if (!owner || e.object?.resource === "events") return null;
      return { owner: `${owner.at("kind").text} ${owner.at("name").text}` };
    },
    says: [
      "{who} asks the kube-apiserver to create {what}, for {owner}.",
      "{who:이} {owner:을} 위해 kube-apiserver에 {what:을} 만들어 달라고 요청합니다.",
    ],
  },
  {
    verb: ["delete"],
    resource: "pods",
    role: "kubelet",
    facts: (b) => (b.at("gracePeriodSeconds").number === 0 ? {} : null),
    says: [
      "{who} asks to remove {what} for good: nothing of it runs any more.",
      "{who:이} {what:을} 완전히 지워 달라고 요청합니다. 이제 그 파드에서 도는 것은 없습니다.",
    ],
  },
  {
    verb: writing,
    resource: "pods",
    sub: "status",
    role: "scheduler",
    facts(b) {
      const c = conditionOf(b.at("status"), "PodScheduled");
      return c?.at("status").text === "False" ? { why: cut(c.at("message").text || c.at("reason").text) } : null;
    },
    says: [
      "{who} writes into the status of {what} that it could not be scheduled: {why}",
      "{who:이} {what}의 상태에 스케줄링하지 못했다고 적습니다: {why}",
    ],
  },
  {
    verb: writing,
    resource: "pods",
    sub: "status",
    facts(b) {
      const c = conditionOf(b.at("status"), "DisruptionTarget");
      return c?.at("status").text === "True" ? { why: cut(c.at("message").text || c.at("reason").text) } : null;
    },
    says: [
      "{who} writes into the status of {what} that it is about to be ended: {why}",
      "{who:이} {what}의 상태에 곧 끝나게 된다고 적습니다: {why}",
    ],
  },
  {
    verb: writing,
    resource: "pods",
    sub: "status",
    role: "controllers",
    facts: (b) => (conditionOf(b.at("status"), "Ready")?.at("status").text === "False" ? {} : null),
    says: [
      "{who} writes into the status of {what} that it is not ready.",
      "{who:이} {what}의 상태에 준비되지 않았다고 적습니다.",
    ],
  },
  {
    verb: writing,
    resource: "pods",
    sub: "status",
    role: "kubelet",
    facts(b) {
      const phase = b.at("status.phase").text;
      return phase ? { phase } : null;
    },
    says: [
      "{who} reports the status of {what}: its phase is {phase}.",
      "{who:이} {what}의 상태를 보고합니다. 단계(phase)는 {phase}입니다.",
    ],
  },
  {
    verb: writing,
    resource: "pods",
    sub: "status",
    role: "kubelet",
    facts(b) {
      const c = conditionOf(b.at("status"), "Ready");
      const status = c?.at("status").text;
      return status
        ? { ready: status === "True" ? ["ready", "준비되었습니다"] : ["not ready", "아직 준비되지 않았습니다"] }
        : null;
    },
    says: ["{who} reports the status of {what}: it is {ready}.", "{who:이} {what}의 상태를 보고합니다. {ready}."],
  },
  {
    verb: writing,
    resource: "pods",
    sub: "",
    by: "job-controller",
    facts: (b) =>
      b.at("metadata").value && JSON.stringify(b.value).includes("batch.kubernetes.io/job-tracking") ? {} : null,
    says: [
      "{who} takes its finalizer off {what}: the Pod is counted.",
      "{who:이} {what}에서 자기 파이널라이저(finalizer)를 뗍니다. 그 파드는 셈에 들어갔습니다.",
    ],
  },
  {
    verb: writing,
    sub: "ephemeralcontainers",
    says: [
      "{who} asks to add an ephemeral container to {what}.",
      "{who:이} {what}에 임시 컨테이너(ephemeral container)를 더해 달라고 요청합니다.",
    ],
  },
  {
    verb: writing,
    sub: "resize",
    says: [
      "{who} asks to change the resources of {what} while it runs.",
      "{who:이} 실행 중인 {what}의 리소스를 바꿔 달라고 요청합니다(resize).",
    ],
  },
  {
    verb: ["create"],
    sub: "eviction",
    says: ["{who} asks to evict {what}.", "{who:이} {what}의 축출(eviction)을 요청합니다."],
  },
  { sub: "log", says: ["{who} reads the log of {what}.", "{who:이} {what}의 로그를 읽습니다."] },
  { sub: "exec", says: ["{who} runs a command in {what}.", "{who:이} {what} 안에서 명령을 실행합니다."] },
  { sub: "attach", says: ["{who} attaches to {what}.", "{who:이} {what} 안의 프로그램에 붙습니다(attach)."] },
  { sub: "portforward", says: ["{who} forwards a port to {what}.", "{who:이} {what:로} 포트를 연결합니다."] },
  {
    sub: "proxy",
    says: [
      "{who} talks to {what} through the kube-apiserver.",
      "{who:이} kube-apiserver를 거쳐 {what:과} 이야기합니다.",
    ],
  },

  /* Nodes */
  {
    verb: ["create"],
    resource: "nodes",
    role: "kubelet",
    says: ["{who} registers its node: {what}.", "{who:이} 자기 노드 {name:을} 등록합니다."],
  },
  {
    verb: ["create"],
    resource: "csinodes",
    role: "kubelet",
    says: [
      "{who} writes down which volume drivers its node has: {what}.",
      "{who:이} 자기 노드에 있는 볼륨 드라이버를 적습니다: {what}.",
    ],
  },
  {
    verb: writing,
    resource: "nodes",
    sub: "status",
    role: "kubelet",
    says: ["{who} reports the status of its node.", "{who:이} 자기 노드의 상태를 보고합니다."],
  },
  {
    verb: writing,
    resource: "nodes",
    sub: "",
    facts(b) {
      if (!b.at("spec.taints").there) return null;
      const taints = b.at("spec.taints").list.map((t) => `${t.at("key").text}:${t.at("effect").text}`);
      return taints.length ? { taints: taints.join(", ") } : null;
    },
    says: [
      "{who} asks that {what} have the taints {taints}.",
      "{who:이} {what}에 테인트(taint)를 붙여 달라고 요청합니다: {taints}.",
    ],
  },
  {
    verb: writing,
    resource: "nodes",
    sub: "",
    facts: (b) => (b.at("spec.taints").there ? {} : null),
    says: [
      "{who} asks to take all taints off {what}.",
      "{who:이} {what}의 테인트(taint)를 모두 떼어 달라고 요청합니다.",
    ],
  },
  {
    verb: writing,
    resource: "nodes",
    sub: "",
    facts: (b) => (b.at("spec.unschedulable").value === true ? {} : null),
    says: [
      "{who} asks that no new Pods come to {what} (cordon).",
      "{who:이} {what}에 새 파드를 두지 말아 달라고(cordon) 요청합니다.",
    ],
  },
  {
    verb: writing,
    resource: "nodes",
    sub: "",
    facts: (b) => (b.at("spec").there && b.at("spec.unschedulable").there ? {} : null),
    says: [
      "{who} asks that new Pods may come to {what} again (uncordon).",
      "{who:이} {what}에 다시 새 파드를 둘 수 있게 해 달라고(uncordon) 요청합니다.",
    ],
  },
  {
    verb: writing,
    resource: "nodes",
    sub: "",
    facts: (b) => (b.at("spec.podCIDR").text ? { range: b.at("spec.podCIDR").text } : null),
    says: [
      "{who} gives {what} the addresses {range} for its Pods.",
      "{who:이} {what}에 파드 주소 범위 {range:을} 줍니다.",
    ],
  },

  /* Controllers' reports */
  {
    verb: writing,
    resource: ["deployments", "replicasets", "statefulsets", "replicationcontrollers"],
    sub: "status",
    facts: ready("readyReplicas", "replicas"),
    says: [
      "{who} reports the status of {what}: {n} of {of} Pods are ready.",
      "{who:이} {what}의 상태를 보고합니다. 파드 {of}개 중 {n}개가 준비되었습니다.",
    ],
  },
  {
    verb: writing,
    resource: "daemonsets",
    sub: "status",
    facts: ready("numberReady", "desiredNumberScheduled"),
    says: [
      "{who} reports the status of {what}: {n} of {of} Pods are ready.",
      "{who:이} {what}의 상태를 보고합니다. 파드 {of}개 중 {n}개가 준비되었습니다.",
    ],
  },
  {
    verb: writing,
    resource: "jobs",
    sub: "status",
    facts: (b) =>
      b.at("status").there
        ? {
            active: String(b.at("status.active").number ?? 0),
            done: String(b.at("status.succeeded").number ?? 0),
            failed: String(b.at("status.failed").number ?? 0),
          }
        : null,
    says: [
      "{who} reports the status of {what}: {active} active, {done} succeeded, {failed} failed.",
      "{who:이} {what}의 상태를 보고합니다. 실행 중 {active}, 성공 {done}, 실패 {failed}.",
    ],
  },
  {
    verb: writing,
    resource: "endpointslices",
    sub: "",
    facts(b) {
      if (!b.at("endpoints").there) return null;
      const service = new Body(b.at("metadata.labels").value).value as Record<string, string> | undefined;
      const name = service?.["kubernetes.io/service-name"];
      return name ? { service: name, n: String(b.at("endpoints").list.length) } : null;
    },
    says: [
      "{who} asks to change {what}: behind the Service {service} stand {n} endpoints now.",
      "{who:이} {what:을} 고쳐 달라고 요청합니다. 이제 {service} 서비스 뒤에 엔드포인트가 {n}개 있습니다.",
    ],
  },
  {
    verb: writing,
    sub: "scale",
    facts: (b) => (b.at("spec.replicas").number === undefined ? null : { n: b.at("spec.replicas").text }),
    says: ["{who} asks that {what} have {n} replicas.", "{who:이} {what}의 복제본 수를 {n:로} 바꿔 달라고 요청합니다."],
  },
  {
    verb: writing,
    sub: "scale",
    says: [
      "{who} asks to change the number of replicas of {what}.",
      "{who:이} {what}의 복제본 수를 바꿔 달라고 요청합니다.",
    ],
  },
  {
    verb: reading,
    sub: "scale",
    says: ["{who} reads the scale of {what}.", "{who:이} {what}의 크기(scale)를 읽습니다."],
  },

  /* Who may do what */
  {
    verb: ["create"],
    resource: ["subjectaccessreviews", "localsubjectaccessreviews"],
    facts(b) {
      const a = b.at("spec.resourceAttributes");
      const n = b.at("spec.nonResourceAttributes");
      const deed = [a.at("verb").text, a.at("resource").text, n.at("verb").text, n.at("path").text]
        .filter(Boolean)
        .join(" ");
      const user = b.at("spec.user").text;
      return user && deed ? { user, deed } : null;
    },
    says: [
      "{who} asks the kube-apiserver whether {user} may {deed}.",
      "{who:이} kube-apiserver에 {user:이} {deed:을} 해도 되는지 묻습니다.",
    ],
  },
  {
    verb: ["create"],
    resource: [
      "subjectaccessreviews",
      "localsubjectaccessreviews",
      "selfsubjectaccessreviews",
      "selfsubjectrulesreviews",
    ],
    says: [
      "{who} asks the kube-apiserver who may do what.",
      "{who:이} kube-apiserver에 누가 무엇을 해도 되는지 묻습니다.",
    ],
  },
  {
    verb: ["create"],
    resource: "selfsubjectreviews",
    says: [
      "{who} asks the kube-apiserver who it is taken for.",
      "{who:이} kube-apiserver에 자신이 누구로 보이는지 묻습니다.",
    ],
  },
  {
    verb: ["create"],
    resource: "tokenreviews",
    says: [
      "{who} asks the kube-apiserver whose token this is.",
      "{who:이} kube-apiserver에 이 토큰이 누구의 것인지 묻습니다.",
    ],
  },
  {
    verb: ["create"],
    sub: "token",
    says: ["{who} asks for a token of {what}.", "{who:이} {what}의 토큰을 요청합니다."],
  },
  { sub: "approval", says: ["{who} decides on {what}.", "{who:이} {what}의 승인 여부를 정합니다."] },

  /* Whatever the resource */
  {
    verb: writing,
    sub: "finalize",
    says: ["{who} takes its finalizer off {what}.", "{who:이} {what}에서 파이널라이저(finalizer)를 뗍니다."],
  },
  {
    verb: writing,
    sub: "status",
    says: ["{who} reports the status of {what}.", "{who:이} {what}의 상태(status)를 보고합니다."],
  },
  {
    verb: reading,
    sub: "status",
    says: ["{who} reads the status of {what}.", "{who:이} {what}의 상태(status)를 읽습니다."],
  },
  {
    verb: ["create"],
    sub: "",
    says: [
      "{who} asks the kube-apiserver to create {what}.",
      "{who:이} kube-apiserver에 {what:을} 만들어 달라고 요청합니다.",
    ],
  },
  {
    verb: ["update"],
    sub: "",
    says: [
      "{who} asks to replace {what} with a changed version.",
      "{who:이} {what:을} 고친 내용으로 바꿔 달라고 요청합니다.",
    ],
  },
  {
    verb: ["patch", "apply"],
    sub: "",
    says: ["{who} asks to change a part of {what}.", "{who:이} {what}의 일부를 고쳐 달라고 요청합니다."],
  },
  {
    verb: ["delete"],
    sub: "",
    says: [
      "{who} asks the kube-apiserver to delete {what}.",
      "{who:이} kube-apiserver에 {what:을} 지워 달라고 요청합니다.",
    ],
  },
  {
    verb: ["deletecollection"],
    says: [
      "{who} asks to delete all {kinds}{in} at once.",
      "{who:이} {in}{kinds:을} 한꺼번에 모두 지워 달라고 요청합니다.",
    ],
  },
  { verb: ["list"], sub: "", says: ["{who} reads the list of {kinds}{in}.", "{who:이} {in}{kinds} 목록을 읽습니다."] },
  {
    verb: ["get", "head"],
    sub: "",
    says: ["{who} reads {what}.", "{who:이} {what:을} 읽습니다."],
  },
  {
    verb: ["watch"],
    facts: (_, e) => (e.object?.name ? {} : null),
    says: [
      "{who} begins to watch {what}: the kube-apiserver will tell it of every change.",
      "{who:이} {what} 지켜보기(watch)를 시작합니다. 바뀔 때마다 kube-apiserver가 알려 줍니다.",
    ],
  },
  {
    verb: ["watch"],
    says: [
      "{who} begins to watch {kinds}{in}: the kube-apiserver will tell it of every change.",
      "{who:이} {in}{kinds} 지켜보기(watch)를 시작합니다. 바뀔 때마다 kube-apiserver가 알려 줍니다.",
    ],
  },
];

/** What a request asks for; null when no sentence is known for it. */
export function asked(lang: Lang, e: KubeEvent): string | null {
  const actor = actorOf(e.from);
  const agent = typeof e.detail?.userAgent === "string" ? e.detail.userAgent : "";
  const as = typeof e.detail?.as === "string" ? e.detail.as : "";
  const name = actorName(lang, actor, agent);
  const who = as ? (lang === "ko" ? `${as} 자격으로 행동하는 ${name}` : `${name}, acting as ${as},`) : name;
  const o = e.object;
  if (!o) {
    const uri = String(e.detail?.uri ?? "");
    return fill(
      lang,
      ["{who} asks the kube-apiserver for {uri}.", "{who:이} kube-apiserver에 {uri} 경로를 묻습니다."],
      { who, uri },
    );
  }
  const body = new Body(e.detail?.request);
  for (const d of deeds) {
    if (d.verb && !d.verb.includes(e.verb)) continue;
    if (d.resource && ![d.resource].flat().includes(o.resource)) continue;
    if (d.sub !== undefined && d.sub !== (o.subresource ?? "")) continue;
    if (d.role && d.role !== actor.role) continue;
    if (d.by && d.by !== actor.name) continue;
    const facts = d.facts ? d.facts(body, e) : {};
    if (facts) return fill(lang, d.says, { ...named(lang, o), who, ...facts });
  }
  return null;
}

function named(lang: Lang, o: KubeObject): Facts {
  const bare = { ...o, subresource: undefined };
  const one = kindName(lang, o.resource);
  return {
    // In Korean the English name of a kind stands beside it, as texts introduce it.
    what: o.name ? objectName(lang, bare, lang === "ko" && !o.subresource) : lang === "ko" ? one : `a ${one}`,
    name: o.name ?? one,
    kinds: kindsName(lang, o.resource),
    in: o.namespace ? [` in the namespace ${o.namespace}`, `${o.namespace} 네임스페이스의 `] : "",
  };
}

function fill(lang: Lang, says: Both, facts: Facts): string {
  const text = (lang === "ko" ? says[1] : says[0]).replace(
    /\{(\w+)(?::(.))?\}/g,
    (_, name: string, particle?: Particle) => {
      const fact = facts[name] ?? "";
      const value = typeof fact === "string" ? fact : lang === "ko" ? fact[1] : fact[0];
      return particle ? withParticle(value, particle) : value;
    },
  );
  return capital(text.trim());
}
