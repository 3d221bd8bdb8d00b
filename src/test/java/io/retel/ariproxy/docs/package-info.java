/** Checks the documentation: links, generated pages, and examples, which are executed. */
package io.retel.ariproxy.docs;
