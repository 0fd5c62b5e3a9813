import { fixed, minutes, seconds, stretching } from './deadline.ts';

/**
 * How long what is ours may take on the reference machine (two cores, the VM emulated). On a slower or busier machine
 * each is stretched by the patience (LAB_PATIENCE). A wait ends when it has seen what it waits for, so none is tight.
 */
export const ours = {
  // programs and files of this host
  /** A program on this host or on a machine, unless told otherwise. */
  command: stretching(minutes(1)),
  /** The holder of a lock lets go: it may build Kubernetes and Istio first. */
  lock: stretching(minutes(60)),
  /** An archive, a package or a disk is packed or unpacked. */
  packing: stretching(minutes(5)),
  /** An image is built, saved, or imported. */
  imageStep: stretching(minutes(10)),
  /** Programs are built from their modules. */
  build: stretching(minutes(60)),
  /** The root of a Debian is put together from its packages. */
  debootstrap: stretching(minutes(30)),
  /** The lists of a package source are fetched. */
  packageLists: stretching(minutes(5)),
  /** Packages of Debian or PyPI are fetched and installed. */
  packages: stretching(minutes(15)),
  /** A container tool pulls an image. */
  pull: stretching(minutes(30)),
  /** A download, which gives up by progress and not by time, or a module. */
  download: stretching(minutes(360)),
  /** A download without a byte. */
  downloadStall: stretching(seconds(20)),
  /** A server of downloads is away for a moment. */
  serverBack: stretching(minutes(2)),
  /** A look at whether a source has what is needed; also without a network a run begins at once. */
  sourceLook: stretching(seconds(3)),
  /** A program that doctor looks at this host with. */
  hostLook: stretching(seconds(30)),
  /** A container tool tells its version, docker by its engine. */
  toolAnswers: stretching(seconds(10)),

  // machines
  /** The namespaces of a lab stand, and are gone with all that is in them. */
  labOpens: stretching(seconds(20)),
  labEnds: stretching(minutes(1)),
  /** What a lab has elsewhere is removed. */
  onEnd: stretching(minutes(10)),
  /** A node has its root and its first process. */
  nodeUp: stretching(seconds(20)),
  /** A program that was asked to end has ended. */
  programEnds: stretching(seconds(20)),
  /** A machine answers a command that does nothing. */
  machineAnswers: stretching(seconds(30)),
  /** A file of some megabytes has arrived in a machine, and was read once there. */
  fileArrives: stretching(minutes(3)),
  /** A command of the first boot. */
  firstBootStep: stretching(minutes(10)),
  /** ssh has its connection, scp has copied a file. */
  sshConnects: stretching(minutes(1)),
  sshCopies: stretching(minutes(15)),
  /** multipass starts, stops or restarts an instance, takes a snapshot of it, or goes back to one. */
  instanceChanges: stretching(minutes(5)),
  /** multipass brings a file into an instance. */
  instanceTransfer: stretching(minutes(10)),
  /** multipass deletes an instance, and it is gone; while its launch goes on, only after that. */
  instanceDeletes: stretching(minutes(2)),
  instanceGone: stretching(minutes(3)),
  launchedGone: stretching(minutes(10)),
  /** Commands are run in an instance that was started. */
  instanceUsable: stretching(minutes(3)),
  /** QEMU answers from when it was started, and has ended from when it was asked to. */
  qemuAnswers: stretching(seconds(30)),
  qemuEnds: stretching(seconds(30)),
  /** The state of a machine is saved or loaded. */
  stateMoves: stretching(minutes(2)),
  /** A guest boots under KVM, or it does not work here. */
  kvmTrial: stretching(seconds(15)),
  /** systemd of the VM has started all it was going to; the first time it has more to do. */
  vmBoots: stretching(minutes(3)),
  vmFirstBoots: stretching(minutes(5)),
  vmPowersDown: stretching(minutes(1)),
  /** A step of the preparation of a snapshot. */
  snapshotStep: stretching(minutes(3)),
  /** The guest agent answers a question, and tells of a command. */
  agentAnswers: stretching(seconds(10)),
  agentTells: stretching(seconds(30)),
  /** A test of the contract of providers, and one of its slow ones. */
  contractTest: stretching(minutes(2)),
  contractStep: stretching(minutes(6)),

  // limits of programs of others, which are set: with patience 1 each is that program's default
  /** kubelet: a request to containerd (runtimeRequestTimeout). */
  runtimeRequest: stretching(minutes(2)),
  /** kube-controller-manager: a node that says nothing is Unknown (--node-monitor-grace-period). */
  nodeSilence: stretching(seconds(50)),
  /** etcd: between two signs of life of its leader, and until another is elected (--heartbeat-interval and so on). */
  etcdHeartbeat: stretching(100),
  etcdElection: stretching(seconds(1)),
  /** kube-apiserver: etcd answers a look at its health (--etcd-healthcheck-timeout, --etcd-readycheck-timeout). */
  etcdHealth: stretching(seconds(2)),
  /** istioctl: what it installs becomes ready (--readiness-timeout). */
  istioReady: stretching(minutes(5)),

  // the cluster
  /** One change of the rules of a node. */
  nft: stretching(seconds(10)),
  /** The API server is ready, from when it was started. */
  apiReady: stretching(minutes(2)),
  /** The API server answers one request. */
  apiAnswers: stretching(seconds(30)),
  /** A watch without a byte: the API server sends a bookmark each minute. */
  apiSilence: stretching(seconds(90)),
  /** containerd of a node listens, from when it was started. */
  containerdListens: stretching(minutes(2)),
  /** Every program of the cluster runs and has done so for a while, from when all were started or one died. */
  programsStay: stretching(minutes(1)),
  /** All nodes are Ready, from when kubelet was started. */
  nodesReady: stretching(minutes(2)),
  /** One node becomes Ready, or NotReady, after a change. */
  nodeReady: stretching(minutes(1)),
  /** The same on a lab that stands. */
  nodeReadyInClaim: stretching(seconds(20)),
  /** A pod is scheduled and ready, or says why not. */
  podReady: stretching(minutes(1)),
  /** All pods of a layer are ready. */
  podsReady: stretching(minutes(2)),
  /** What was deleted is gone, with its time to end. */
  podGone: stretching(minutes(1)),
  /** Namespaces are gone with all that is in them. */
  namespacesGone: stretching(minutes(4)),
  /** The load balancer has given, or refused, addresses to a service. */
  serviceAddress: stretching(seconds(20)),
  /** A policy has become rules of the nodes. */
  policyInForce: stretching(seconds(10)),
  /** Proxies use a path again that a policy had closed. */
  policyGone: stretching(seconds(30)),

  // Istio and the mesh
  /** `istioctl install` comes to its end. */
  installIstio: stretching(minutes(6)),
  /** `istioctl uninstall` comes to its end. */
  uninstallIstio: stretching(minutes(3)),
  /** A new gateway has its address, and istiod answers through it. */
  gatewayUp: stretching(minutes(1)),
  /** A gateway that takes a connection and keeps silent does not know istiod yet. */
  gatewaySilent: stretching(seconds(1)),
  /** Proxies have a change of configuration from istiod. */
  meshLearns: stretching(seconds(20)),
  /** Envoy's administration page answers. */
  envoyAdmin: stretching(seconds(30)),
  /** A request is in an access log. */
  accessLogged: stretching(seconds(15)),
  /** istiod logs what came of a request of the agent. */
  istiodSays: stretching(seconds(10)),

  // requests of the probes
  /** One GET comes to its end. */
  httpAnswers: stretching(seconds(10)),
  /** Each of many GETs at the same time comes to its end. */
  manyAnswer: stretching(seconds(30)),
  /** A TCP connection stands or is refused. */
  tcpConnects: stretching(seconds(5)),
  /** A TLS handshake comes to its end. */
  tlsHandshake: stretching(seconds(20)),
  /** A readiness page or a handshake answers, in one look of many. */
  readyAnswer: stretching(seconds(5)),
  /** The way to the place from where it is asked: kubectl exec, guest agent, ssh. */
  reachingThere: stretching(seconds(20)),
  /** A small server of the harness, or of somebody's downloads, answers. */
  serverAnswers: stretching(seconds(20)),

  // the sidecar on the VM
  /** dpkg installs the sidecar's package, or its files are put in place. */
  installPackage: stretching(minutes(4)),
  /** The sidecar is ready for the first time. */
  sidecarFirst: stretching(minutes(4)),
  /** The sidecar is ready once more. */
  sidecarAgain: stretching(seconds(50)),
  /** `systemctl stop istio`: draining, the end of the agent, and the clean-up of the unit. */
  sidecarStop: stretching(minutes(1)),
  /** A unit of the VM, or what it starts, comes to a state. */
  unitState: stretching(minutes(1)),
  /** The agent logs something about its start. */
  agentSays: stretching(minutes(1)),
  /** The same where sudo waits for a resolver first. */
  agentSaysBySudo: stretching(minutes(2)),
  /** The agent asks istiod again, with its back-off, and logs the answer. */
  agentRetries: stretching(seconds(40)),
  /** The agent has a certificate on disk. */
  certified: stretching(minutes(1)),
  /** The WorkloadEntry tells that the VM is connected. */
  registered: stretching(seconds(30)),
  /** The same after systemd has started the sidecar again. */
  registeredAgain: stretching(minutes(1)),
  /** istiod makes the WorkloadEntry of a VM that has connected. */
  entryCreated: stretching(seconds(10)),
  /** The WorkloadEntry of a VM that has gone is gone, with its time of grace. */
  entryGone: stretching(seconds(30)),
  /** The WorkloadEntry tells of the VM's health; it is probed each five seconds. */
  health: stretching(seconds(20)),
  /** The same, from when the sidecar was ready once more. */
  healthyAfterStart: stretching(seconds(35)),
  /** The same, from when the sidecar was ready for the first time. */
  healthyFirst: stretching(minutes(3)),
  /** The same on a VM that has never run what it starts. */
  healthyOnBorrowed: stretching(minutes(6)),
  /** The app on the VM is probed once more. */
  nextProbe: stretching(seconds(20)),
  /** The app on the VM is probed three times. */
  threeProbes: stretching(seconds(30)),
  /** It is probed three times while nobody else asks it. */
  quietForThreeProbes: stretching(seconds(40)),
  /** From the start of the app to its next probe, beyond the period. */
  firstProbe: stretching(seconds(2)),
  /** By how much something periodic may be off. */
  jitter: stretching(seconds(1)),
  /** By how much something that is due at a time may be late. */
  reaction: stretching(seconds(5)),
  /** The app's server on the VM logs a request. */
  serverLogs: stretching(seconds(5)),
  /** The VM is registered and ready again. */
  backInMesh: stretching(minutes(1)),
  /** 200 in both directions, once all is ready. */
  bothDirections: stretching(minutes(1)),

  // claims
  /** What a claim is given, and its proof. */
  claim: stretching(minutes(1)),
  /** The same with a long wait. */
  claimWithWait: stretching(minutes(2)),
  /** The same with starts of the sidecar. */
  claimWithStarts: stretching(minutes(3)),
  /** The same with starts by hand that hang on purpose. */
  claimByHand: stretching(minutes(4)),
  /** The same with a lab of its own, by the local provider or on instances. */
  claimOfLab: stretching(minutes(2)),
  claimOfLaunchedLab: stretching(minutes(15)),
  /** What a claim was given is undone. */
  undo: stretching(minutes(1)),
  /** All that is told of a claim that failed is collected. */
  diagnose: stretching(seconds(30)),
  /** What one source tells of a claim that failed, where nothing was collected before. */
  bundle: stretching(seconds(20)),
  /** The same, however much was collected before. */
  bundleLeast: stretching(seconds(5)),
  /** A part of what a machine tells of it. */
  bundlePart: stretching(seconds(6)),
  /** A program that died may not be back yet, so what is seen counts less. */
  afterDeath: stretching(seconds(10)),
  /** A lab in which a program died is whole again: its programs, API server and nodes. */
  healed: stretching(minutes(5)),
  /** What vitest needs around a claim. */
  claimMargin: stretching(seconds(10)),
  /** A suite's layer is up; cold, Kubernetes and Istio are built first. */
  layersUp: stretching(minutes(40)),
  /** What was seen until a signal ended the run is written. */
  lastWords: stretching(seconds(10)),
  /** One witness is looked at. */
  witness: stretching(seconds(10)),
  /** All witnesses are green with nothing broken, and again after something was. */
  witnessesRest: stretching(minutes(1)),
  witnessesAgain: stretching(seconds(30)),
  /** All looks at the witnesses of one falsifier, and those before all falsifiers. */
  witnessesBetween: stretching(minutes(2)),
  witnessesHook: stretching(minutes(5)),

  // commands of this project
  /** `npm run lab -- <words>` with machines of the local provider, or with instances that are launched. */
  labCommand: stretching(minutes(5)),
  labCommandLaunched: stretching(minutes(12)),
  /** `vitest run` of one version; building an unknown one takes half an hour on two cores. */
  matrixRun: stretching(minutes(240)),
  /** A run of a few claims from the deed on, by itself or when the VM goes with it; its first claim; the run after it. */
  chaosRun: stretching(minutes(5)),
  chaosRunOfVm: stretching(minutes(10)),
  chaosFirstClaim: stretching(minutes(10)),
  chaosNextRun: stretching(minutes(15)),
  /** What chaos took away is back: a program or a link, a pod, the VM. */
  chaosBack: stretching(minutes(2)),
  chaosPodBack: stretching(minutes(4)),
  chaosReboot: stretching(minutes(8)),
  /** A box, which is emulated: its boot, a command, a step of the trial, layers, claims, and all of its life. */
  boxBoots: stretching(minutes(6)),
  boxCommand: stretching(minutes(180)),
  boxStep: stretching(minutes(10)),
  boxLayers: stretching(minutes(40)),
  boxClaims: stretching(minutes(90)),
  boxLives: stretching(minutes(240)),
  /** The upstream tests of one kind, and their report after that. */
  judge: stretching(minutes(120)),
  judgeMargin: stretching(minutes(5)),
};

/** Limits that a document, a standard, Kubernetes, Istio or systemd has. Claims assert them; no machine stretches them. */
export const theirs = {
  /** istiod keeps the WorkloadEntry of a VM that went away, as it may come back. */
  workloadEntryGrace: fixed(seconds(10), "istiod's PILOT_WORKLOAD_ENTRY_GRACE_PERIOD is 10 s by default"),
  /** systemd waits between the end of the sidecar and its next start. */
  unitRestart: fixed(seconds(10), "istio.service's RestartSec=10"),
  /** The agent probes the app on the VM. */
  probePeriod: fixed(seconds(5), 'periodSeconds: 5 of the WorkloadGroup'),
  /** A program waits this long for a resolver that does not answer. */
  resolverGivesUp: fixed(seconds(15), 'resolv.conf(5): 5 s for each of several attempts'),
};
