/** The keys of the controller, each declared once. Names are Kafka's where Kafka has them. */
import { type ConfigOf, configSchema, count, flag, MINUTE_MS, millis } from '@millrace/core';

export const controllerConfig = configSchema('Controller', {
  'broker.session.timeout.ms': millis({
    default: 9000,
    min: 50,
    max: 3_600_000,
    doc: 'A broker that is silent for this long is fenced: it leads nothing and leaves every in-sync set. A broker that hears nothing from the controller for this long looks for another one.',
  }),
  'broker.disconnect.grace.ms': millis({
    default: 100,
    min: 0,
    max: 600_000,
    doc: 'A broker whose connection to the controller broke is fenced after this long unless it reconnects. A killed process is noticed by this, a cut network by broker.session.timeout.ms.',
  }),
  'broker.first.contact.ms': millis({
    default: 2000,
    min: 0,
    max: 3_600_000,
    doc: 'After a change of controller: a broker that has not opened a session by then, while another has, is fenced.',
  }),
  'auto.leader.rebalance.enable': flag({
    default: true,
    doc: 'Give leadership back to preferred replicas by and by.',
  }),
  'leader.imbalance.check.interval.seconds': count({
    default: 300,
    min: 1,
    max: 86_400,
    doc: 'How often leadership is compared with preference, in seconds.',
  }),
  'leader.imbalance.per.broker.percentage': count({
    default: 10,
    min: 0,
    max: 100,
    doc: 'Leadership is given back to a broker if more than this share of the partitions that prefer it is led elsewhere.',
  }),
  'unclean.leader.election.interval.ms': millis({
    default: 5 * MINUTE_MS,
    min: 100,
    doc: 'How often partitions without a leader are looked at again, for topics that allow unclean elections.',
  }),
  'controller.max.partitions': count({
    default: 200_000,
    min: 1,
    max: 10_000_000,
    doc: 'Partitions of the whole cluster; requests for more are refused with POLICY_VIOLATION.',
  }),
  'controller.max.partitions.per.request': count({
    default: 10_000,
    min: 1,
    max: 100_000,
    doc: 'Partitions that one request may create; more are refused with POLICY_VIOLATION.',
  }),
  'controller.max.topics.per.request': count({
    default: 10_000,
    min: 1,
    max: 100_000,
    doc: 'Topics that one request may create; more are refused with POLICY_VIOLATION.',
  }),
  'controller.max.pending.changes': count({
    default: 5000,
    min: 1,
    max: 9000,
    doc: 'Changes that were decided and wait for commit; requests beyond are refused with NODE_OVERLOADED.',
  }),
});

export type ControllerConfig = ConfigOf<typeof controllerConfig>;
