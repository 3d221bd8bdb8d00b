/**
 * What ARI is made of: resources, events, requests. Pure data and rules; nothing here knows Camel
 * or Kafka.
 */
package io.retel.ariproxy.ari;
