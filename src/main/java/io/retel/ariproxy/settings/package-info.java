/** The settings: their names, defaults and rules, read once at start. */
package io.retel.ariproxy.settings;
