# Whose turn it is in a pod, and what comes next. pod-stages.ts puts the definitions of `behaviours` and `pattern` before.

def word: (.image | capture(pattern) | .word) // "ready";

# A container's state by its name in behaviours.ts.
def state:
  if .state.running then (if .ready then "Ready" else "Unready" end)
  elif .state.terminated then .state.terminated.reason
  elif [.state.waiting.reason] | inside(["ContainerCreating", "PodInitializing"]) then "Created"
  else .state.waiting.reason
  end;

# Init containers run one after the other, then all containers at once; containers of one pod that are due move together.
# The lead is the one that sets the pace: the first that misbehaves, or else the first.
def lead:
  . as $pod
  | [ .spec.initContainers // [] | to_entries[]
      | { spec: .value, status: $pod.status.initContainerStatuses[.key], policy:
          (if .value.restartPolicy == "Always" then "Always" elif $pod.spec.restartPolicy == "Never" then "Never" else "OnFailure" end) }
      | select(.status.ready | not) ] as $init
  | if ($init | length) > 0 then $init[:1]
    else [ .spec.containers | to_entries[]
      | { spec: .value, status: $pod.status.containerStatuses[.key], policy: $pod.spec.restartPolicy } ]
    end
  | map(. + { word: (.spec | word) } | . + { next: behaviours[.policy][.word][.status | state] } | select(.next))
  | (map(select(.word != "ready")) + .)[0] // empty;

def next: lead | .next.to;

# As Go reads a duration.
def delay:
  lead
  | if .next.after == "tag" then ((.spec.image | capture("slow-(?P<seconds>[0-9]+)s") | .seconds | tonumber) // 5) * 1000
    elif .next.after == "back-off" then ([10 * pow(2; .status.restartCount - 1), 300] | min) * 100
    else .next.after
    end
  | "\(.)ms";
