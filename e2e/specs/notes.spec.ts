// A person's own notes beside the stage: what they have from a cluster of long ago
// is held beside this one, and their lines glow while what they tell of happens.
import { Stage } from "../pages/stage.ts";
import { expectReadable } from "../readable.ts";
import { expect, test } from "../test.ts";

test("a note of long ago stands beside the cluster of now", async ({ dashboard, page }) => {
  await dashboard.kubectl("kubectl run glow --image=nginx:1.29");
  const events = await dashboard.eventsWhen("the pod glow runs", 0, (all) =>
    all.some((e) => e.kind === "cri" && e.verb === "StartContainer" && JSON.stringify(e.detail).includes("glow")),
  );
  const stage = new Stage(page);
  await stage.open(dashboard.url, "/ko/notes/consoles.md");
  const note = page.locator("[data-note]");

  // A picture of the folder is there; one of another computer is a link that says where it leads.
  const picture = note.getByRole("img", { name: "구조" });
  await expect(picture).toBeVisible();
  expect(await picture.evaluate((img: HTMLImageElement) => img.naturalWidth)).toBe(48);
  await expect(note).toContainText("cdn.example.com");
  await expect(note.getByRole("link", { name: "그곳에서 열기" })).toHaveAttribute("target", "_blank");

  // Then and now: namespaces are compared by their names, whatever their age.
  const then = note.locator("[data-then]", { has: page.locator('[data-now="kubectl get ns"]') });
  await then.getByRole("button", { name: "지금과 비교" }).click();
  const row = (name: string) => then.getByRole("row").filter({ hasText: name });
  await expect(row("kube-flannel")).toHaveAttribute("data-state", "gone");
  await expect(row("kube-system")).toHaveAttribute("data-state", "new");
  await expect(row("default")).toHaveAttribute("data-state", "same");
  await expect(row("default").locator("del")).toHaveText("3d");

  // Who made what a table lists: told by the names, and looked up in this cluster.
  await note.getByText("이름으로 짐작한 소유자").first().click();
  const pod = note.getByRole("link", { name: "coredns-74ff55c5b-6xcjg" });
  await pod.click();
  await expect(pod.locator("+ [role=status]")).toContainText("로그에 없습니다");

  // A command of etcdctl opens the etcd view at its key; the note stays.
  await note.getByRole("link", { name: "무대에서 이 키 보기" }).first().click();
  await expect(page.getByRole("tabpanel", { name: "etcd" })).toContainText("/registry/namespaces/default");
  await expect(page).toHaveURL(/view=etcd.*namespaces\/default/);
  await expect(note).toBeVisible();

  // The line that tells of it glows while it happens, and goes out when it is over.
  const line = note.getByText("스케줄러가 파드를 노드에 정해 준다").locator("xpath=ancestor-or-self::p");
  const bound = events.find(
    (e) => e.kind === "request" && e.object?.subresource === "binding" && e.object.name === "glow",
  );
  const seek = (seq: number) => page.evaluate((at) => window.kubestage.seek(at), seq);
  await seek(bound?.seq ?? 0);
  await expect(line).toHaveAttribute("data-glows");
  await seek(1);
  await expect(line).not.toHaveAttribute("data-glows");

  await expectReadable(page, "#panel-notes");
});
