// The terminal: the real kubectl with completion, live answers, and programs
// that are typed into; and links that bring a command, which ask.
import { Console } from "../pages/console.ts";
import { Stage } from "../pages/stage.ts";
import { Terminal } from "../pages/terminal.ts";
import { expectReadable } from "../readable.ts";
import { expect, test } from "../test.ts";

test("kubectl in the terminal: completed, followed, typed into, refused", async ({ dashboard, page }) => {
  await dashboard.kubectl("kubectl run typed --image=nginx");
  await dashboard.kubectl("kubectl wait pod typed --for=condition=Ready --timeout=60s");
  const stage = new Stage(page);
  const terminal = new Terminal(page);
  await stage.open(dashboard.url, "/en/");
  await terminal.open();

  await terminal.type("kubectl rol", "Tab");
  await terminal.shows(/\$ kubectl rollout$/);
  await terminal.type("Tab");
  await terminal.shows(/history .*\n.*pause /);
  await terminal.type("Control+c", "kubectl get pods ty", "Tab");
  await terminal.shows(/\$ kubectl get pods typed$/);
  await terminal.type("-w", "Enter");
  await terminal.shows(/typed +1\/1 +Running/);
  await terminal.type("Control+c");
  await terminal.shows(/\^C\n\$$/);

  await terminal.type("kubectl exec -it typed -- sh", "Enter");
  await terminal.shows(/\n\/ #$/);
  await terminal.type("hostname", "Enter");
  await terminal.shows(/# hostname\ntyped\n\/ #$/);
  await terminal.type("exit 3", "Enter");
  await terminal.shows(/exit code 3\n\$$/);

  await terminal.type("kubectl edit pod typed", "Enter");
  await terminal.shows(/edit opens an editor of this computer\n.*\n\$$/);
  await terminal.type("ArrowUp", "ArrowUp");
  await terminal.shows(/\$ kubectl exec -it typed -- sh$/);

  await expectReadable(page, ".terminal-drawer");

  // Nobody is caught in it.
  await terminal.type("Control+c", "Shift+Tab");
  await expect(terminal.drawer.getByRole("button", { name: "Close" })).toBeFocused();
  await terminal.type("Tab", "Escape");
  await expect(page.locator("#view-stage")).toBeFocused();
  await page.keyboard.press("`");
  await expect(terminal.drawer).toBeHidden();
  await dashboard.kubectl("kubectl delete pod typed --now");
});

test("a link with a command shows it and asks", async ({ dashboard, page }) => {
  const before = await dashboard.lastSeq();
  const made = async () =>
    (await dashboard.events(before)).filter((e) => e.verb === "create" && e.object?.name === "linked").length;
  const console_ = new Console(page);
  const stage = new Stage(page);
  const dialog = page.getByRole("dialog");
  const link = `?command=${encodeURIComponent("kubectl create configmap linked --from-literal=a=b")}`;

  await stage.open(dashboard.url, `/ko/${link}`);
  await expect(dialog).toContainText("kubectl create configmap linked --from-literal=a=b");
  await expect(dialog.getByRole("button", { name: "실행하지 않기" })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(dialog).toBeHidden();
  expect(new URL(page.url()).search).toBe("");

  await stage.open(dashboard.url, `/en/${link}`);
  await dialog.getByRole("button", { name: "Put it into the console" }).click();
  await expect(page.locator(".console-input")).toHaveValue(/create configmap linked/);
  expect(await made(), "nothing has been run yet").toBe(0);

  await stage.open(dashboard.url, `/en/${link}`);
  await dialog.getByRole("button", { name: "Run", exact: true }).click();
  await expect(console_.output).toContainText("configmap/linked created");
  expect(await made()).toBe(1);

  await stage.open(dashboard.url, `/en/?command=${encodeURIComponent("kubectl get pods\nkubectl delete ns default")}`);
  await expect(dialog).toContainText("not a kubectl command of one line");
  await dialog.getByRole("button", { name: "Close" }).click();
  await dashboard.kubectl("kubectl delete configmap linked");
});
