// Guards, wishes and outcomes in words.

/** What each guard does, by its reason. */
export const GUARDS = {
  ZoneHeadroom: "Headroom for losing zones",
  OutageFloor: "Capacity kept through an outage",
  UnknownSignal: "Nothing removed on unknown data",
  Unhealthy: "Nothing removed while unhealthy",
  PodsNotReady: "Nothing removed while pods start",
  ScaleUpStabilized: "Scale-up window",
  ScaleDownStabilized: "Scale-down window",
  ScaleUpCooldown: "Scale-up cooldown",
  ScaleDownCooldown: "Scale-down cooldown",
  ScaleUpLimit: "Scale-up rate",
  ScaleDownLimit: "Scale-down rate",
  PendingCap: "Cap on starting pods",
  HourlyCap: "Hourly spend cap",
  DailyBudget: "Daily budget",
  MonthlyBudget: "Monthly budget",
  KnownEvent: "Known event",
  TooManyReplicas: "Maximum",
  TooFewReplicas: "Minimum",
  ScaleOutOnly: "Mode ScaleOutOnly",
  Paused: "Mode Paused",
};

/** A guard by its reason; of one that this page does not know, the reason. */
export const guard = (reason) => GUARDS[reason] ?? reason;

const HELD = {
  Recommend: "only recommended",
  Overridden: "held by an override",
  ManualGrace: "held: somebody else set the count",
  RivalFound: "held: something else scales it",
  WritesUndone: "held: writes are undone",
  ScaledToZero: "held: scaled to 0 by hand",
  Paused: "held: paused",
};

/** What became of a decision: `[words, whether that is worth noticing]`. */
export const outcome = (code) => {
  const [what, why] = code.split(": ");
  if (what === "Done") return ["written", false];
  if (what === "Unneeded") return ["nothing to write", false];
  if (what === "Held") return [HELD[why] ?? `held: ${why ?? "not told"}`, why !== "Recommend"];
  if (what === "Failed") return [`not written: ${why ?? "not told"}`, true];
  if (what === "Unknown") return ["sent, no answer came", true];
  return [code || "not known yet", false];
};

/** `Out`, `In` or `Keep`, as the icons are called. */
export const direction = ({ before, after }) => (after > before ? "Out" : after < before ? "In" : "Keep");

/** An input of a guard, such as `spentToday`, as words. */
export const inputName = (name) => name.replace(/([A-Z])/g, " $1").toLowerCase();
